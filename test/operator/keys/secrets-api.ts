// Secrets as an API server keeps them, in memory: what is there is not made again, and a patch of an old version is
// refused. Answers of every status can be had.

import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { toKubeError } from '../../../operator/kube/kube-error.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';

type Members = Readonly<Record<string, unknown>>;

/** Where all Secrets of the tests are. */
const collection = '/api/v1/namespaces/team/secrets';

/** An API server that knows Secrets of one namespace and nothing else. */
export class SecretsApi implements Pick<KubeClient, 'call'> {
  readonly secrets = new Map<string, KubeObject>();
  readonly calls: KubeCall[] = [];
  /** Answers the next request with this status instead. */
  refusal: { readonly status: number; readonly reason: string } | undefined;
  #version = 0;

  async call<T>(call: KubeCall): Promise<T> {
    this.calls.push(call);
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) fail(call, refusal.status, refusal.reason);
    return (call.method === 'POST' ? this.#post(call) : this.#existing(call)) as T;
  }

  /** Keeps a Secret, as somebody else may have made it. */
  put(object: KubeObject): KubeObject {
    const stored = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String((this.#version += 1)) },
    });
    this.secrets.set(stored.metadata.name, stored);
    return stored;
  }

  #post(call: KubeCall): KubeObject {
    const object = call.body as KubeObject;
    if (call.path !== collection || this.secrets.has(object.metadata.name)) fail(call, 409, 'AlreadyExists');
    return this.put(object);
  }

  #existing(call: KubeCall): KubeObject {
    const stored = this.secrets.get(call.path.replace(`${collection}/`, ''));
    if (stored === undefined) return fail(call, 404, 'NotFound');
    if (call.method === 'GET') return stored;
    if (call.method !== 'PATCH' || call.contentType !== 'application/merge-patch+json') return fail(call, 415, '');
    const { resourceVersion } = (call.body as KubeObject).metadata;
    if (resourceVersion !== stored.metadata.resourceVersion) return fail(call, 409, 'Conflict');
    return this.put(merge(stored, call.body as Members) as KubeObject);
  }
}

/** What was sent is in the answer, as it may be in one of a real server. */
function fail({ method, path, body }: KubeCall, status: number, reason: string): never {
  const message = `by order of operator-of-sluice-system: ${JSON.stringify(body)}`;
  throw toKubeError(`${method} ${path}`, {
    status,
    body: JSON.stringify({ reason, message: status === 422 ? message : reason }),
  });
}

/** https://www.rfc-editor.org/rfc/rfc7396 */
function merge(target: Members, patch: Members): Members {
  const result: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = typeof value === 'object' ? merge((target[name] ?? {}) as Members, value as Members) : value;
  }
  return result;
}
