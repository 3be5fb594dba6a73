// ConfigMaps and Secrets as an API server keeps them, in memory: server-side apply of one field manager, versions as
// preconditions, and the caches that a watch would fill.

import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { toKubeError } from '../../../operator/kube/kube-error.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { Store } from '../../../operator/watch/cache.ts';
import { type Output, projectOutput, sameOutput } from '../../../operator/watch/output.ts';

type Values = Readonly<Record<string, string>>;

/** An object with what it holds. */
export interface HeldObject extends KubeObject {
  readonly data?: Values;
  readonly binaryData?: Values;
}

/** An API server that knows ConfigMaps and Secrets of one namespace. */
export class ObjectsApi implements Pick<KubeClient, 'call'> {
  readonly outputs = new Store<Output>({ project: projectOutput, same: sameOutput });
  readonly secrets = new Store<Output>({ project: projectOutput, same: sameOutput });
  /** `PATCH secrets/NAME` of each request, in their order. */
  readonly asked: string[] = [];
  /** Refuses the requests that this names. */
  refuses: (request: string) => { readonly status: number; readonly reason: string } | undefined = () => undefined;
  /** Whether the watch brings what others do. */
  watches = true;
  readonly #objects = new Map<string, HeldObject>();
  readonly #sinks = { configmaps: this.outputs.scope('gateways'), secrets: this.secrets.scope('gateways') };
  #version = 100;

  async call<T>({ method, path, body }: KubeCall): Promise<T> {
    const name = path.replace('/api/v1/namespaces/gateways/', '');
    const request = `${method} ${name}`;
    this.asked.push(request);
    const refusal = this.refuses(request);
    if (refusal !== undefined) throw toKubeError(request, { status: refusal.status, body: JSON.stringify(refusal) });
    if (method === 'DELETE') return this.#delete(name) as T;
    return this.#apply(name, body as HeldObject) as T;
  }

  /** The object as it is; undefined if there is none. `secrets/NAME` or `configmaps/NAME`. */
  get(name: string): HeldObject | undefined {
    return this.#objects.get(name);
  }

  /** What somebody else makes of an object; the watch brings it. */
  edit(name: string, change: (object: HeldObject) => HeldObject | undefined): void {
    const before = this.#objects.get(name);
    const after = change(before ?? { metadata: { name: name.replace(/.*\//, ''), namespace: 'gateways' } });
    const sink = this.#sinks[name.startsWith('secrets/') ? 'secrets' : 'configmaps'];
    if (after !== undefined) {
      const stored = this.#keep(name, after);
      if (this.watches) sink.put(stored);
    } else if (before !== undefined) {
      this.#objects.delete(name);
      if (this.watches) sink.remove({ ...before, metadata: { ...before.metadata, resourceVersion: this.#next() } });
    }
  }

  #apply(name: string, { metadata, ...body }: HeldObject): HeldObject {
    const before = this.#objects.get(name);
    const expected = metadata.resourceVersion;
    if (expected !== undefined && expected !== before?.metadata.resourceVersion) {
      throw toKubeError(name, { status: 409, body: '{"reason":"Conflict"}' });
    }
    return this.#keep(name, { ...before, ...body, metadata: { uid: `uid-${name}`, ...metadata } });
  }

  #delete(name: string): object {
    if (!this.#objects.delete(name)) throw toKubeError(name, { status: 404, body: '{"reason":"NotFound"}' });
    return { kind: 'Status' };
  }

  #keep(name: string, object: HeldObject): HeldObject {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.#next() } };
    this.#objects.set(name, stored);
    return stored;
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }
}
