// The world in which changes are measured: twenty routes over four providers, with keys of both types. Sixteen of the
// routes are under load and always serve; four, and one client key, are there to be broken.

import type { Installation } from '../../support/installation.ts';

/** How many of each there are. */
export const counts = { routes: 16, providers: 4, upstreamKeys: 4, clientKeys: 4, rotatingKeys: 4 } as const;

/** What is broken, and mended again. Their names come after those of the other routes: of two claims of one age the first has it. */
export const weakRoutes = ['weak-circle', 'weak-expression', 'weak-path', 'weak-provider'] as const;

/** Name of the client key whose Secret loses its label now and then. */
export const weakKey = 'weak-key';

/** The public model of a route. */
export function modelOf(route: string): string {
  return `model-${route}`;
}

/** The secret of a client key; `version` counts its renewals. */
export function clientSecret(name: string, version = 0): string {
  return `sk-${name}-${version}-0123456789abcdef0123456789abcdef`;
}

/** Models that every client key opens. */
export const openModels: readonly string[] = ['model-*'];

/** Everything in it, in an order in which it can be made. */
export function smallWorld(
  { object, className }: Pick<Installation, 'object' | 'className'>,
  namespace: string,
  upstreams: readonly [string, string],
): readonly object[] {
  const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const secret = (name: string, value: string): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, labels: { 'sluice.dev/credential': 'true', team: 'bench' } },
    stringData: { key: value },
  });
  const clientKey = (name: string): readonly object[] => [
    secret(name, clientSecret(name)),
    object('LLMKey', namespace, name, {
      type: 'Client',
      secretRef: { name, key: 'key' },
      client: { models: openModels },
    }),
  ];
  const route = (name: string, index: number): object =>
    object('LLMRoute', namespace, name, { path: `/${className}/${name}`, ...routeSpec(name, index) });
  return [
    ...many(counts.providers, (index) =>
      object('LLMProvider', namespace, `provider-${index}`, {
        type: 'OpenAICompatible',
        endpoint: { url: upstreams[1], insecureHTTP: 'Allow' },
        credentials: { type: index < 2 ? 'KeyPool' : 'None' },
        timeouts: { connectSeconds: 5, totalSeconds: 600 },
      }),
    ),
    ...many(counts.upstreamKeys, (index) => [
      secret(`upstream-${index}`, `upstream-secret-${index}`),
      object('LLMKey', namespace, `upstream-${index}`, {
        type: 'Upstream',
        secretRef: { name: `upstream-${index}`, key: 'key' },
        upstream: { providerRef: { name: `provider-${index % 2}` }, weight: 1 },
      }),
    ]).flat(),
    ...many(counts.clientKeys, (index) => clientKey(`client-${index}`)).flat(),
    ...many(counts.rotatingKeys, (index) => clientKey(`rotating-${index}`)).flat(),
    ...clientKey(weakKey),
    ...many(counts.routes, (index) => route(`route-${index}`, index)),
    ...weakRoutes.map(route),
  ];
}

function routeSpec(name: string, index: number): object {
  const provider = (offset: number): object => ({ name: `provider-${(index + offset) % counts.providers}` });
  return {
    models: [{ name: modelOf(name) }],
    rules: [
      {
        name: 'regional',
        matches: [{ cel: "client.tenant == 'nobody'" }, { headers: [{ name: 'x-region', value: 'eu' }] }],
        backends: [{ name: 'regional', providerRef: provider(2), model: 'upstream-model' }],
      },
      {
        name: 'default',
        strategy: 'Weighted',
        backends: [
          { name: 'first', providerRef: provider(0), model: 'upstream-model', weight: 1 },
          { name: 'second', providerRef: provider(1), model: 'upstream-model', weight: 1 },
        ],
        timeouts: { totalSeconds: 300 },
      },
    ],
  };
}
