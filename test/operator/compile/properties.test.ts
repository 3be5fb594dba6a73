// What holds for every world, however its objects fit together.

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { compile } from '../../../operator/compile/compile.ts';
import { diagnosticReasons } from '../../../operator/compile/diagnostic.ts';
import type { RuleSpec } from '../../../operator/compile/route-spec.ts';
import type { World } from '../../../operator/compile/world.ts';
import { credentialsSchema, gatewayConfigSchema, type RouteConfig } from '../../../proxy/config/schema.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { arbitraryWorld, canary } from './arbitrary-world.ts';

/** Enough to meet circles of references and twins of secrets in every run, and done in seconds. */
const runs = { numRuns: 500 };
vi.setConfig({ testTimeout: 60_000 });

test('the worlds of these tests hold routes that serve, keys that are usable, and every reason there is', () => {
  const seen = new Set<string>();
  for (const world of fc.sample(arbitraryWorld, { seed: 1, numRuns: 500 })) {
    const { config, credentials, diagnostics } = compile(world);
    if (config.routes.some(({ rules }) => rules.some(({ backends }) => backends.some(({ route }) => route))))
      seen.add('route');
    if (credentials.upstream.length > 0) seen.add('upstream key');
    if (credentials.clients.length > 0) seen.add('client key');
    for (const { condition, reason } of diagnostics) {
      seen.add(reason);
      expect(diagnosticReasons[condition]).toContain(reason);
    }
  }
  expect([...seen].sort()).toEqual([
    'Conflicted',
    'Disabled',
    'Expired',
    'Invalid',
    'ModelNotListed',
    'NoUsableKey',
    'Pending',
    'ProviderNotFound',
    'RefNotPermitted',
    'RouteNotFound',
    'SecretKeyMissing',
    'SecretNotFound',
    'ServiceNotFound',
    'UnsupportedValue',
    'client key',
    'route',
    'upstream key',
  ]);
});

test('a configuration is always one that proxies accept', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config, credentials } = compile(world);
      expect(gatewayConfigSchema.parse(config)).toStrictEqual(config);
      expect(credentialsSchema.parse(credentials)).toStrictEqual(credentials);
      compileSnapshot(config, credentials);
    }),
    runs,
  );
});

test('the order in which objects are read never matters', () => {
  fc.assert(
    fc.property(arbitraryWorld, fc.infiniteStream(fc.nat(1_000_000)), (world, ranks) => {
      expect(compile(shuffle(world, () => Number(ranks.next().value)))).toStrictEqual(compile(world));
    }),
    runs,
  );
});

test('no secret gets into the configuration or into diagnostics, nor a client key into credentials', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config, credentials, diagnostics } = compile(world);
      expect(JSON.stringify([config, diagnostics, credentials.clients])).not.toContain(canary);
    }),
    runs,
  );
});

const canServe = ({ rules }: RouteConfig): boolean =>
  rules.some(({ backends, failover }) => backends.length > 0 || failover.fallbackRoute !== undefined);

test('an object without a diagnostic of its own as a whole serves, and no other', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config, diagnostics } = compile(world);
      const left = new Set(
        diagnostics
          .filter(({ extent }) => extent === 'whole')
          .map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
      );
      const expected = (kind: string, objects: World['providers'] | World['routes']): string[] =>
        [...objects.map(({ metadata }) => metadata), ...world.invalid.filter((it) => it.kind === kind)]
          .map(({ namespace, name }) => `${namespace}/${name}`)
          .filter((id) => !left.has(`${kind} ${id}`))
          .sort();
      expect(config.providers.map(({ id }) => id)).toEqual(expected('LLMProvider', world.providers));
      expect(config.routes.filter(canServe).map(({ id }) => id)).toEqual(expected('LLMRoute', world.routes));
    }),
    runs,
  );
});

test('a route that nothing but its references keep from serving has its claims, and refuses its requests', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config, diagnostics } = compile(world);
      const published = new Set(config.routes.map(({ id }) => id));
      const invalid = new Set(world.invalid.map(({ namespace, name }) => `${namespace}/${name}`));
      const whole = diagnostics.filter(({ kind, extent }) => kind === 'LLMRoute' && extent === 'whole');
      const byRoute = Map.groupBy(whole, ({ namespace, name }) => `${namespace}/${name}`);
      for (const [id, found] of byRoute) {
        if (invalid.has(id)) continue;
        if (found.every(({ condition }) => condition === 'ResolvedRefs')) expect(published).toContain(id);
        if (found.every(({ condition }) => condition === 'Accepted')) expect(published).not.toContain(id);
      }
    }),
    runs,
  );
});

test('a rule keeps its place as long as there is anything to match by, so that its requests never come to a later one', () => {
  const hasLeft = ({ matches }: RuleSpec): boolean =>
    matches === undefined ||
    matches.some(({ cel, ...rest }) => cel !== 'no such thing' || Object.keys(rest).length > 0);
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const specs = new Map(world.routes.map(({ metadata, spec }) => [`${metadata.namespace}/${metadata.name}`, spec]));
      for (const { id, rules } of compile(world).config.routes) {
        if (!specs.has(id)) continue;
        const expected = specs.get(id)?.rules.filter(hasLeft);
        expect(rules.map(({ name, matches }) => [name, matches.length > 0])).toEqual(
          expected?.map(({ name, matches }) => [name, matches !== undefined]),
        );
      }
    }),
    runs,
  );
});

test('every name of a backend of a route that is served is a pin, so that its path is never relayed as one that nobody knows', () => {
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config, credentials } = compile(world);
      const { routes } = compileSnapshot(config, credentials);
      for (const { metadata, spec } of world.routes) {
        const pins = routes.get(`${metadata.namespace}/${metadata.name}`)?.pins;
        for (const { name } of pins === undefined ? [] : spec.rules.flatMap(({ backends }) => backends)) {
          expect(pins?.get(name)?.name).toBe(name);
        }
      }
    }),
    runs,
  );
});

test('an object that no longer parses has the form that was published, but for backends and fallbacks that are gone, or none', () => {
  let kept = 0;
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { config } = compile(world);
      const invalid = new Set(world.invalid.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
      const before = new Map(world.published?.routes.map((form) => [form.id, form]));
      for (const provider of config.providers.filter(({ id }) => invalid.has(`LLMProvider ${id}`))) {
        expect(world.published?.providers).toContainEqual(provider);
      }
      for (const route of config.routes.filter(({ id }) => invalid.has(`LLMRoute ${id}`))) {
        kept += 1;
        const form = before.get(route.id);
        expect(withoutTargets(route)).toEqual(withoutTargets(form));
        expect(targetsOf(form)).toEqual(expect.arrayContaining([...targetsOf(route)]));
      }
    }),
    runs,
  );
  expect(kept).toBeGreaterThan(10);
});

/** A route with the names of its backends, wherever they stand. */
function withoutTargets(route: RouteConfig | undefined): unknown {
  const rules = route?.rules.map(({ backends, leftOut, failover, ...rule }) => ({
    ...rule,
    failover: { ...failover, fallbackRoute: undefined, fallbacks: undefined },
    names: [...backends.map(({ name }) => name), ...leftOut].sort(),
  }));
  return { ...route, rules };
}

/** Where each rule of a route may send requests. */
function targetsOf(route: RouteConfig | undefined): readonly string[] {
  const rules = route?.rules ?? [];
  return rules.flatMap(({ name, backends, failover: { fallbackRoute, fallbacks = [] } }) =>
    [...backends, ...(fallbackRoute === undefined ? [] : [{ fallbackRoute }]), ...fallbacks].map(
      (target) => `${name} ${JSON.stringify(target)}`,
    ),
  );
}

function shuffle(world: World, rank: () => number): World {
  const mix = <T>(list: readonly T[]): readonly T[] =>
    list
      .map((entry) => ({ entry, rank: rank() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ entry }) => entry);
  return {
    ...world,
    providers: mix(world.providers),
    routes: mix(world.routes),
    keys: mix(world.keys),
    invalid: mix(world.invalid),
    published: world.published && {
      providers: [...mix(world.published.providers)],
      routes: [...mix(world.published.routes)],
    },
    secrets: mix(world.secrets),
    configMaps: mix(world.configMaps),
    services: mix(world.services),
    grants: world.grants && mix(world.grants),
    namespaces: mix(world.namespaces),
  };
}
