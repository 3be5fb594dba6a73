// An installation that may read two namespaces and no other, with objects that need everything the operator may do.

import { readFileSync } from 'node:fs';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import { eventually } from '../../support/eventually.ts';
import { install, type Installation, type Manifest, type TestOperator } from '../../support/installation.ts';
import type { Permission } from './permissions.ts';

/** Where one installation is tried out. */
export interface Stage {
  readonly plane: ControlPlaneClient;
  readonly installation: Installation;
  /** With everything in it. */
  readonly team: string;
  /** With a provider that a ReferenceGrant opens to the team. */
  readonly other: string;
  /** The roles as they are in deploy/manifests, under the names of this installation. */
  readonly roles: readonly Manifest[];
  readonly startOperator: () => Promise<TestOperator>;
}

/** Label selector of the proxies' pods. */
export const proxySelector = 'app.kubernetes.io/component=proxy';

/** Installs with Roles alone: what is bound in the whole cluster is bound in the two namespaces instead. */
export async function createStage(plane: ControlPlaneClient): Promise<Stage> {
  const [team, other] = [await plane.newNamespace(), await plane.newNamespace()];
  const roles: Manifest[] = [];
  const installation = await install(plane, {
    editManifest(manifest) {
      if (manifest.rules !== undefined) roles.push(manifest);
      const isWide = manifest.kind === 'ClusterRoleBinding' && !manifest.metadata.name.includes('-cluster-');
      return isWide ? inNamespace(manifest, team) : manifest;
    },
  });
  const binding = roles.find(({ kind, metadata }) => kind === 'ClusterRole' && !metadata.name.includes('-cluster-'));
  await plane.apply(bindingOf(installation, binding!, other));
  const watchNamespaces = [team, other];
  const startOperator = () => installation.startOperator({ watchNamespaces, proxySelector });
  const stage = { plane, installation, team, other, roles, startOperator };
  for (const object of objectsOf(stage)) await plane.apply(object);
  return stage;
}

function inNamespace(binding: Manifest, namespace: string): Manifest {
  return { ...binding, kind: 'RoleBinding', metadata: { ...binding.metadata, namespace } };
}

function bindingOf({ namespace }: Installation, { metadata: { name } }: Manifest, where: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace: where },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'sluice-operator', namespace }],
  };
}

/** A provider in the cluster, its key, client keys, and routes to it and to a provider of another namespace. */
function objectsOf({ plane, installation, team, other }: Omit<Stage, 'startOperator'>): readonly object[] {
  const metadata = (name: string, labels = {}) => ({ name, namespace: team, labels });
  const credential = { 'sluice.dev/credential': 'true' };
  const secret = (name: string, labels: object, key: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(name, labels),
    stringData: { key },
  });
  const certificate = readFileSync(plane.caFile, 'utf8');
  return [
    // An administrator gives the namespace a tenant.
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: team, labels: { 'sluice.dev/tenant': 'acme' } } },
    { apiVersion: 'v1', kind: 'Service', metadata: metadata('llm'), spec: { ports: [{ name: 'http', port: 8000 }] } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('authority'), data: { 'ca.crt': certificate } },
    secret('up', credential, 'up-0'),
    secret('acme', credential, 'acme-client-key'),
    secret('taken', {}, 'not for Sluice'),
    providerOf({ installation, team }, 0),
    installation.object('LLMProvider', other, 'lent', { type: 'OpenAI', credentials: { type: 'None' } }),
    grantOf(team, other),
    routeTo({ installation, team }, 'near', 'chat'),
    installation.object('LLMRoute', team, 'far', {
      path: `/${team}/far`,
      rules: [{ name: 'all', backends: [{ name: 'lent', providerRef: { name: 'lent', namespace: other } }] }],
    }),
    installation.object('LLMKey', team, 'up', {
      type: 'Upstream',
      secretRef: { name: 'up', key: 'key' },
      upstream: { providerRef: { name: 'near' } },
    }),
    installation.object('LLMKey', team, 'acme', {
      type: 'Client',
      secretRef: { name: 'acme', key: 'key' },
      client: { tenant: 'acme', models: ['*'] },
    }),
    generatedKey({ installation, team }, 'checkout'),
  ];
}

type Place = Pick<Stage, 'installation' | 'team'>;

/** The team's own provider; `round` makes it another one each time. */
export function providerOf({ installation, team }: Place, round: number): object {
  return installation.object('LLMProvider', team, 'near', {
    type: 'VLLM',
    endpoint: { serviceRef: { name: 'llm', port: 8000, scheme: 'https' } },
    tls: { caCertificateRef: { kind: 'ConfigMap', name: 'authority', key: 'ca.crt' } },
    attributes: { round: String(round) },
  });
}

/** A route of the team to a provider of its own, or to none. `more`: parameters that make it large. */
export function routeTo({ installation, team }: Place, provider: string, name: string, more = {}): object {
  const backend = { name: 'one', providerRef: { name: provider }, model: 'any', parameters: { set: more } };
  return installation.object('LLMRoute', team, name, {
    path: `/${team}/${name}`,
    rules: [{ name: 'all', backends: [backend] }],
  });
}

/** A client key whose Secret the operator makes. */
export function generatedKey({ installation, team }: Place, name: string, secretName = `${name}-made`): object {
  return installation.object('LLMKey', team, name, {
    type: 'Client',
    client: { generate: { secretName }, models: ['*'] },
  });
}

/** The other namespace lets routes of the team use its provider. */
export function grantOf(team: string, other: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: 'to-team', namespace: other },
    spec: {
      from: [{ group: 'sluice.dev', kind: 'LLMRoute', namespace: team }],
      to: [{ group: 'sluice.dev', kind: 'LLMProvider', name: 'lent' }],
    },
  };
}

/** As much of the definition as the API server needs to serve it. */
export const referenceGrants = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: { kind: 'ReferenceGrant', plural: 'referencegrants' },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** Waits until the API server gives or refuses a permission to the service account that the role is bound to. */
export async function waitUntil(isAllowed: boolean, { plane, installation, team }: Stage, permission: Permission) {
  const { namespace } = installation;
  const { role, group, verb, names } = permission;
  const [resource, subresource] = permission.resource.split('/');
  const isWide = role.metadata.name.includes('-cluster-') && resource === 'namespaces';
  const where = role.kind === 'Role' ? namespace : team;
  const account = role.metadata.name.startsWith('sluice-proxy') ? 'sluice-proxy' : 'sluice-operator';
  const spec = {
    user: `system:serviceaccount:${namespace}:${account}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: {
      group,
      verb,
      resource,
      subresource,
      name: names?.[0],
      ...(isWide ? {} : { namespace: where }),
    },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  await eventually(async () => {
    const { status } = await plane.request<{ readonly status: { readonly allowed: boolean } }>('POST', path, review);
    return status.allowed === isAllowed;
  });
}
