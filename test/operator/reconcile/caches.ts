// The caches of an operator, filled by a test instead of an API server.

import type { KubeObject } from '../../../operator/kube/object.ts';
import { type Projection, Store } from '../../../operator/watch/cache.ts';
import { type Output, projectOutput, sameOutput } from '../../../operator/watch/output.ts';
import {
  projectConfigMap,
  projectGrant,
  projectNamespace,
  projectSecret,
  projectService,
  sameFacts,
} from '../../../operator/watch/projections.ts';
import { projectProxyPod } from '../../../operator/watch/proxy-pod.ts';
import { projectResource, sameResource } from '../../../operator/watch/resource.ts';
import type { Sources } from '../../../operator/watch/sources.ts';

/** Which cache takes which kind. */
const kinds = {
  LLMProvider: 'providers',
  LLMRoute: 'routes',
  LLMKey: 'keys',
  Secret: 'secrets',
  ConfigMap: 'configMaps',
  Service: 'services',
  ReferenceGrant: 'grants',
  Namespace: 'namespaces',
  Pod: 'proxies',
} as const;

/** An object as a test writes it; name and namespace are enough. */
export interface Written {
  readonly kind: keyof typeof kinds;
  readonly metadata: Partial<KubeObject['metadata']> & { readonly name: string };
  readonly [member: string]: unknown;
}

/** Caches that a test fills. */
export interface Caches {
  readonly sources: Sources;
  /** Puts an object into the cache of its kind, with a new version; in namespace `team` unless it says otherwise. */
  put(object: Written): void;
  remove(object: Written): void;
  /** Names of the caches that have not seen everything. */
  missing: readonly string[];
}

/** Empty caches of class `default`. */
export function createCaches(
  outputs = new Store<Output>({ project: projectOutput, same: sameOutput }),
  publishedCredentials = new Store<Output>({ project: projectOutput, same: sameOutput }),
): Caches {
  const facts = <T extends object>(project: Projection<T>): Store<T> => new Store({ project, same: sameFacts });
  const stores = {
    providers: new Store({ project: projectResource('LLMProvider', 'default'), same: sameResource }),
    routes: new Store({ project: projectResource('LLMRoute', 'default'), same: sameResource }),
    keys: new Store({ project: projectResource('LLMKey', 'default'), same: sameResource }),
    secrets: facts(projectSecret),
    configMaps: facts(projectConfigMap),
    services: facts(projectService),
    grants: facts(projectGrant),
    namespaces: facts(projectNamespace),
    proxies: facts(projectProxyPod),
  };
  const sinks = new Map(Object.entries(stores).map(([name, store]) => [name, store.scope(undefined)]));
  let version = 0;
  const toObject = ({ metadata, ...rest }: Written): KubeObject => {
    version += 1;
    const namespace = rest.kind === 'Namespace' ? {} : { namespace: 'team' };
    return {
      apiVersion: 'sluice.dev/v1alpha1',
      ...rest,
      metadata: {
        ...namespace,
        uid: `uid-${metadata.name}`,
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...metadata,
        resourceVersion: String(version),
      },
    };
  };
  const caches: Caches = {
    missing: [],
    sources: {
      ...stores,
      outputs,
      publishedCredentials,
      waiting: () => caches.missing,
      run: () => Promise.resolve(),
    },
    put: (object) => sinks.get(kinds[object.kind])?.put(toObject(object)),
    remove: (object) => sinks.get(kinds[object.kind])?.remove(toObject(object)),
  };
  return caches;
}
