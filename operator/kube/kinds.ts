// The kinds that the operator reads and writes, with their addresses.

import { group, type Kind, plurals, version } from '../../crds/group.ts';
import type { ResourceType } from './object.ts';

/** Our own kinds. */
export const resourceTypes: Readonly<Record<Kind, ResourceType>> = {
  LLMProvider: ours('LLMProvider'),
  LLMRoute: ours('LLMRoute'),
  LLMKey: ours('LLMKey'),
};

function ours(kind: Kind): ResourceType {
  return { group, version, plural: plurals[kind], kind, namespaced: true };
}

function core(kind: string, plural: string, namespaced = true): ResourceType {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

/** Kinds of Kubernetes itself. */
export const secretType = core('Secret', 'secrets');
export const configMapType = core('ConfigMap', 'configmaps');
export const serviceType = core('Service', 'services');
export const podType = core('Pod', 'pods');
export const namespaceType = core('Namespace', 'namespaces', false);

/** https://gateway-api.sigs.k8s.io/api-types/referencegrant/ */
export const referenceGrantType: ResourceType = {
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  plural: 'referencegrants',
  kind: 'ReferenceGrant',
  namespaced: true,
};
