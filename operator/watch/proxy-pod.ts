// Pods of proxies, as far as asking them goes.

import type { KubeObject } from '../kube/object.ts';

/** A pod of a proxy. */
export interface ProxyPod {
  readonly name: string;
  /** Ready, and not about to end: only such a proxy has requests to serve. */
  readonly ready: boolean;
  /** Where its admin port is; undefined as long as the pod has no address. */
  readonly admin: { readonly host: string; readonly port: number } | undefined;
}

/** The admin port of a container that does not name one. */
const adminPortDefault = 9090;

interface PodFacts {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Reads a pod. The admin port is the container port of the name `admin`. */
export function projectProxyPod(object: KubeObject): ProxyPod {
  const { metadata, spec, status } = object as KubeObject & PodFacts;
  const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  const port = ports.find(({ name }) => name === 'admin')?.containerPort ?? adminPortDefault;
  const isReady = (status?.conditions ?? []).some(
    (condition) => condition.type === 'Ready' && condition.status === 'True',
  );
  return {
    name: metadata.name,
    ready: isReady && metadata.deletionTimestamp === undefined,
    admin: status?.podIP === undefined ? undefined : { host: status.podIP, port },
  };
}
