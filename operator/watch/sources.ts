// Everything that the operator watches, as caches. Filled also while another replica leads, so that this one can take over
// at once. What each is needed for, and the permission that it takes: deploy/manifests/README.md.

import { credentialLabel } from '../../crds/group.ts';
import type { NamespaceObject, ReferenceGrantObject, ServiceObject, ConfigMapObject } from '../compile/world.ts';
import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/object.ts';
import type { Log } from '../log.ts';
import { type Cache, type Projection, Store } from './cache.ts';
import {
  configMapType,
  namespaceType,
  podType,
  referenceGrantType,
  resourceTypes,
  secretType,
  serviceType,
} from '../kube/kinds.ts';
import { type Output, type OutputNames, projectOutput, sameOutput } from './output.ts';
import { projectProxyPod, type ProxyPod } from './proxy-pod.ts';
import {
  type CredentialSecret,
  projectConfigMap,
  projectGrant,
  projectNamespace,
  projectSecret,
  projectService,
  sameFacts,
} from './projections.ts';
import { Reflector } from './reflector.ts';
import { projectResource, type Resource, sameResource } from './resource.ts';

/** All caches. */
export interface Sources {
  readonly providers: Cache<Resource<'LLMProvider'>>;
  readonly routes: Cache<Resource<'LLMRoute'>>;
  readonly keys: Cache<Resource<'LLMKey'>>;
  /** Secrets with the credential label, and no others. */
  readonly secrets: Cache<CredentialSecret>;
  readonly configMaps: Cache<ConfigMapObject>;
  readonly services: Cache<ServiceObject>;
  readonly grants: Cache<ReferenceGrantObject>;
  readonly namespaces: Cache<NamespaceObject>;
  /** What this operator has published. */
  readonly outputs: Cache<Output>;
  readonly publishedCredentials: Cache<Output>;
  readonly proxies: Cache<ProxyPod>;
  /** Names of the caches that have not seen everything yet. */
  waiting(): readonly string[];
  /** Follows the API server until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** All caches, for whoever runs them. */
export interface FollowedSources extends Sources {
  /** Reads everything anew while it runs. Resolves when that is done, which may be never. */
  refresh(): Promise<void>;
}

/** Which part of the cluster counts. */
export interface SourcesOptions {
  readonly client: KubeClient;
  readonly className: string;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly installNamespace: string;
  readonly outputNames: OutputNames;
  /** Label selector of the proxies' pods; undefined: they are not looked for. */
  readonly proxySelector: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

interface Followed<T> {
  readonly type: ResourceType;
  readonly project: Projection<T>;
  readonly same: (one: T, other: T) => boolean;
  /** `undefined` = everywhere. */
  readonly namespaces: readonly (string | undefined)[];
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly optional?: boolean;
}

/** Makes the caches; nothing is asked for before `run`. */
export function createSources(options: SourcesOptions): FollowedSources {
  const { className, watchNamespaces, installNamespace, outputNames, proxySelector } = options;
  const reflectors: Reflector[] = [];
  const caches: [string, Cache<unknown>][] = [];
  const follow = <T>(name: string, { type, project, same, namespaces, ...selectors }: Followed<T>): Cache<T> => {
    const store = new Store<T>({ project, same });
    for (const namespace of namespaces) {
      reflectors.push(new Reflector(store.scope(namespace), { ...options, ...selectors, type, namespace }));
    }
    caches.push([name, store as Cache<unknown>]);
    return store;
  };
  const watched = watchNamespaces.length === 0 ? [undefined] : watchNamespaces;
  const facts = { namespaces: watched, same: sameFacts };
  const own = { namespaces: [installNamespace], project: projectOutput, same: sameOutput };
  const resources = { namespaces: watched, same: sameResource };
  const credentials = { labelSelector: `${credentialLabel}=true` };
  return {
    providers: follow('llmproviders', {
      ...resources,
      type: resourceTypes.LLMProvider,
      project: projectResource('LLMProvider', className),
    }),
    routes: follow('llmroutes', {
      ...resources,
      type: resourceTypes.LLMRoute,
      project: projectResource('LLMRoute', className),
    }),
    keys: follow('llmkeys', {
      ...resources,
      type: resourceTypes.LLMKey,
      project: projectResource('LLMKey', className),
    }),
    secrets: follow('secrets', { ...facts, ...credentials, type: secretType, project: projectSecret }),
    configMaps: follow('configmaps', { ...facts, type: configMapType, project: projectConfigMap }),
    services: follow('services', { ...facts, type: serviceType, project: projectService }),
    grants: follow('referencegrants', { ...facts, type: referenceGrantType, project: projectGrant, optional: true }),
    namespaces: follow('namespaces', {
      ...facts,
      namespaces: [undefined],
      type: namespaceType,
      project: projectNamespace,
      optional: true,
    }),
    outputs: follow('published-configuration', {
      ...own,
      type: configMapType,
      labelSelector: outputNames.selector,
    }),
    publishedCredentials: follow('published-credentials', {
      ...own,
      type: secretType,
      fieldSelector: `metadata.name=${outputNames.secret}`,
    }),
    proxies: follow('proxies', {
      namespaces: proxySelector === undefined ? [] : [installNamespace],
      type: podType,
      project: projectProxyPod,
      same: sameFacts,
      ...(proxySelector === undefined ? {} : { labelSelector: proxySelector }),
    }),
    waiting: () => caches.filter(([, cache]) => !cache.synced()).map(([name]) => name),
    run: async (signal) => void (await Promise.all(reflectors.map((reflector) => reflector.run(signal)))),
    refresh: async () => void (await Promise.all(reflectors.map((reflector) => reflector.refresh()))),
  };
}
