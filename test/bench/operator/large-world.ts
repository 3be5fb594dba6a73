// The world of a large company: teams, each in a namespace with providers, routes and keys of its own.

import type { Installation } from '../../support/installation.ts';

/** How large it is. Every team has the same share; each upstream key has a provider of its own. */
export interface WorldSize {
  readonly teams: number;
  readonly routes: number;
  readonly providers: number;
  readonly clientKeys: number;
}

/** What the issue asks for: 2,000 routes, 200 providers, 5,000 keys. */
export const fullSize: WorldSize = { teams: 20, routes: 2000, providers: 200, clientKeys: 4800 };

/** The same in small, to try the benchmark. */
export const quickSize: WorldSize = { teams: 4, routes: 100, providers: 12, clientKeys: 240 };

/** How many resources that is, Secrets not counted. */
export function resourcesOf({ routes, providers, clientKeys }: WorldSize): number {
  return routes + 2 * providers + clientKeys;
}

/** Name of a team's namespace. */
export function teamName(className: string, team: number): string {
  return `${className}-team-${team}`;
}

/** Everything, in an order in which it can be made: namespaces, then what is in them. */
export function largeWorld(
  { object, className }: Pick<Installation, 'object' | 'className'>,
  { teams, routes, providers, clientKeys }: WorldSize,
  upstream: string,
): { readonly namespaces: readonly string[]; readonly objects: readonly object[] } {
  const namespaces = Array.from({ length: teams }, (_, team) => teamName(className, team));
  const objects = namespaces.flatMap((namespace, team) => {
    const many = (count: number, make: (index: number) => readonly object[]): readonly object[] =>
      Array.from({ length: Math.ceil(count / teams) }, (_, index) => make(index)).flat();
    const add = { object, namespace, team };
    const ownProviders = Math.ceil(providers / teams);
    return [
      ...many(providers, (index) => provider(add, index, upstream)),
      ...many(clientKeys, (index) => clientKey(add, index)),
      ...many(routes, (index) => route(add, index, ownProviders)),
    ];
  });
  return { namespaces, objects };
}

interface Add {
  readonly object: Installation['object'];
  readonly namespace: string;
  readonly team: number;
}

/** The public model of a team's route. */
export function teamModel(team: number, route: number): string {
  return `team-${team}-model-${route}`;
}

/** The secret of a key of a team. */
export function teamSecret(namespace: string, key: string): string {
  return `sk-${namespace}-${key}-0123456789abcdef0123456789abcdef`;
}

function secret({ namespace }: Add, name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, labels: { 'sluice.dev/credential': 'true' } },
    stringData: { key: teamSecret(namespace, name) },
  };
}

function provider(add: Add, index: number, upstream: string): readonly object[] {
  const name = `provider-${index}`;
  const key = `${name}-key`;
  return [
    add.object('LLMProvider', add.namespace, name, {
      type: 'OpenAICompatible',
      endpoint: { url: upstream, insecureHTTP: 'Allow' },
      attributes: { residency: index % 2 === 0 ? 'eu' : 'us' },
      timeouts: { connectSeconds: 5, totalSeconds: 600 },
    }),
    secret(add, key),
    add.object('LLMKey', add.namespace, key, {
      type: 'Upstream',
      secretRef: { name: key, key: 'key' },
      upstream: { providerRef: { name } },
    }),
  ];
}

function clientKey(add: Add, index: number): readonly object[] {
  const name = `client-${index}`;
  return [
    secret(add, name),
    add.object('LLMKey', add.namespace, name, {
      type: 'Client',
      secretRef: { name, key: 'key' },
      client: { models: [`team-${add.team}-*`] },
    }),
  ];
}

function route(add: Add, index: number, providers: number): readonly object[] {
  const { namespace, team } = add;
  const backend = (name: string, offset: number, weight: number): object => ({
    name,
    providerRef: { name: `provider-${(index + offset) % providers}` },
    model: `vendor-model-${index % 7}`,
    weight,
  });
  return [
    add.object('LLMRoute', namespace, `route-${index}`, {
      path: `/${namespace}/route-${index}`,
      models: [{ name: teamModel(team, index) }],
      rules: [
        {
          name: 'regional',
          matches: [{ headers: [{ name: 'x-region', value: 'eu' }] }, { cel: "client.tenant == 'eu'" }],
          backends: [backend('regional', 2, 1)],
        },
        {
          name: 'default',
          strategy: 'Weighted',
          backends: [backend('first', 0, 3), backend('second', 1, 1)],
          timeouts: { totalSeconds: 300 },
        },
      ],
    }),
  ];
}
