// A configuration in a real cluster: published as the operator does, and a ServiceAccount that may watch it and nothing else.

import type { ControlPlaneClient } from '../../cluster/client.ts';
import type { ConfigPair } from '../../support/config.ts';
import { credentialsOf, indexObject, type Write, writesOf } from '../../proxy/config/published-objects.ts';

/** Name of the ServiceAccount. */
export const proxyAccount = 'sluice-proxy';

/** What a proxy needs, and no more: the index and the Secret, and shards by their names. */
export function proxyAccess(namespace: string): readonly object[] {
  const shards = Array.from({ length: 8 }, (_, number) => `${indexObject}-${number}`);
  const named = (resources: string, resourceNames: readonly string[], verbs: readonly string[]): object => ({
    apiGroups: [''],
    resources: [resources],
    resourceNames,
    verbs,
  });
  const metadata = { name: proxyAccount, namespace };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        named('configmaps', [indexObject], ['get', 'list', 'watch']),
        named('configmaps', shards, ['get']),
        named('secrets', [`${indexObject}-credentials`], ['get', 'list', 'watch']),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: proxyAccount },
      subjects: [{ kind: 'ServiceAccount', name: proxyAccount, namespace }],
    },
  ];
}

/** What is published in one namespace. */
export class ClusterPublication {
  readonly namespace: string;
  readonly #plane: ControlPlaneClient;
  #credentials: Readonly<Record<string, string>> = {};

  constructor(plane: ControlPlaneClient, namespace: string) {
    this.#plane = plane;
    this.namespace = namespace;
  }

  /** What `--watch` is given. */
  get target(): string {
    return `${this.namespace}/${indexObject}`;
  }

  /** Publishes in the operator's order, and keeps the credentials before these. When the write of the index was begun. */
  async publish(pair: ConfigPair, partBytesMax?: number): Promise<number> {
    const writes = writesOf(pair, this.#credentials, partBytesMax);
    const names = Object.keys(credentialsOf(writes));
    this.#credentials = { [names.at(-1)!]: credentialsOf(writes)[names.at(-1)!]! };
    for (const write of writes.slice(0, -1)) await this.write(write);
    const atMs = performance.now();
    await this.write(writes.at(-1)!);
    return atMs;
  }

  async write({ name, object }: Write): Promise<void> {
    const secret = name.endsWith('-credentials');
    const kind = secret ? 'Secret' : 'ConfigMap';
    const manifest = { apiVersion: 'v1', kind, metadata: { name, namespace: this.namespace }, ...object };
    const path = `/api/v1/namespaces/${this.namespace}/${secret ? 'secrets' : 'configmaps'}/${name}`;
    const query = 'fieldManager=sluice-operator&force=true';
    await this.#plane.request('PATCH', `${path}?${query}`, manifest, 'application/apply-patch+yaml');
  }

  async deleteIndex(): Promise<void> {
    await this.#plane.request('DELETE', `/api/v1/namespaces/${this.namespace}/configmaps/${indexObject}`);
  }
}
