// ConfigMaps of one namespace as a reflector keeps them, and everything that it was told on the way.

import { systemClock } from '../../../operator/clock.ts';
import { createKubeClient } from '../../../operator/kube/client.ts';
import { loadCredentials } from '../../../operator/kube/credentials.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { Store } from '../../../operator/watch/cache.ts';
import { configMapType } from '../../../operator/kube/kinds.ts';
import { Reflector, type ReflectorOptions } from '../../../operator/watch/reflector.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import { eventually } from '../../support/eventually.ts';
import { createKeptLog } from '../../operator/queue/kept-log.ts';

/** A reflector that runs. */
export interface Followed extends AsyncDisposable {
  /** Every change that it was told of, in order: `NAME=VALUE`, `NAME gone`. */
  readonly told: readonly string[];
  /** What it holds. */
  values(): Readonly<Record<string, string>>;
  readonly synced: boolean;
  /** Messages that it logged, debug ones excepted. */
  readonly said: readonly string[];
}

interface Kept {
  readonly name: string;
  readonly value: string;
}

/** Follows the ConfigMaps of a namespace with an administrator's kubeconfig, or another's. */
export function follow(kubeconfig: string, namespace: string, differs: Partial<ReflectorOptions> = {}): Followed {
  const monotonic = (): number => performance.now();
  const client = createKubeClient({
    credentials: loadCredentials({ type: 'kubeconfig', path: kubeconfig }, monotonic),
    userAgent: 'sluice-operator/test',
    observer: { requestEnded: () => undefined },
    monotonic,
  });
  const store = new Store<Kept>({
    project: ({ metadata, data }) => ({ name: metadata.name, value: (data as { value?: string })?.value ?? '' }),
    same: (one, other) => one.value === other.value,
  });
  const told: string[] = [];
  store.onChange((_id, after, before) => told.push(after ? `${after.name}=${after.value}` : `${before?.name} gone`));
  const log = createKeptLog();
  const stop = new AbortController();
  const sink = store.scope(namespace);
  const around = { client, clock: systemClock, random: () => 0, log };
  const running = new Reflector(sink, { ...around, type: configMapType, namespace, ...differs }).run(stop.signal);
  return {
    told,
    values: () => Object.fromEntries(store.list().map(({ name, value }) => [name, value])),
    get synced() {
      return store.synced();
    },
    get said() {
      return log.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await client.close();
    },
  };
}

/** Follows, and waits until everything has been read. */
export async function followSynced(...given: Parameters<typeof follow>): Promise<Followed> {
  const followed = follow(...given);
  await eventually(() => followed.synced, 10_000);
  return followed;
}

/** Writes the value of one ConfigMap. */
export async function write(
  plane: ControlPlaneClient,
  namespace: string,
  name: string,
  value: number | string,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=test&force=true`;
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { value: String(value) },
  };
  await plane.request('PATCH', path, object, 'application/apply-patch+yaml');
}

/** Deletes a ConfigMap. */
export async function remove(plane: ControlPlaneClient, namespace: string, name: string): Promise<void> {
  await plane.request('DELETE', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
}
