// The definition of ReferenceGrant, as Gateway API installs it: what the API server needs of it, written by hand.
// https://github.com/kubernetes-sigs/gateway-api/blob/main/config/crd/standard/gateway.networking.k8s.io_referencegrants.yaml

const group = { type: 'string', maxLength: 253 };
const kind = { type: 'string', minLength: 1, maxLength: 63 };
const namespace = { type: 'string', minLength: 1, maxLength: 63 };
const name = { type: 'string', minLength: 1, maxLength: 253 };

function listOf(properties: object, required: readonly string[]): object {
  return { type: 'array', minItems: 1, maxItems: 16, items: { type: 'object', properties, required } };
}

const names = {
  kind: 'ReferenceGrant',
  listKind: 'ReferenceGrantList',
  plural: 'referencegrants',
  singular: 'referencegrant',
};

/** Name of the definition. */
export const referenceGrantCrdName = 'referencegrants.gateway.networking.k8s.io';

/** The definition. */
export const referenceGrantCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: referenceGrantCrdName,
    // Groups of k8s.io are guarded: https://github.com/kubernetes/enhancements/pull/1111
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/2997' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    names: { ...names, shortNames: ['refgrant'], categories: ['gateway-api'] },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: {
                type: 'object',
                required: ['from', 'to'],
                properties: {
                  from: listOf({ group, kind, namespace }, ['group', 'kind', 'namespace']),
                  to: listOf({ group, kind, name }, ['group', 'kind']),
                },
              },
            },
          },
        },
      },
    ],
  },
};

/** Lets routes of one namespace refer to the providers of another. */
export function referenceGrant(home: string, from: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { namespace: home, name: `from-${from}` },
    spec: {
      from: [{ group: 'sluice.dev', kind: 'LLMRoute', namespace: from }],
      to: [{ group: 'sluice.dev', kind: 'LLMProvider' }],
    },
  };
}
