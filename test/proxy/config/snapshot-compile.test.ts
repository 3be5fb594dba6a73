import { describe, expect, test } from 'vitest';
import type { RouteConfig } from '../../../proxy/config/schema.ts';
import { ConfigRefused } from '../../../proxy/config/parse-config.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import { backend, clientKey, type ConfigDraft, configOf } from '../../support/config.ts';
import { failover, provider, route, rule, upstreamKey } from '../../support/config.ts';

const p = provider('p', 'https://models.example');

function compile(draft: ConfigDraft): Snapshot {
  const { config, credentials } = configOf(draft);
  return compileSnapshot(config, credentials);
}

function serve(...routes: readonly RouteConfig[]): Snapshot {
  return compile({ providers: [p], routes });
}

/** A route that serves, and may refer to others. */
function through(name: string, ...next: readonly string[]): RouteConfig {
  const references = next.map((to) => backend(`to-${to}`, { route: `default/${to}` }));
  return route(name, [rule([backend('p'), ...references])]);
}

function reasons(draft: ConfigDraft): readonly string[] {
  try {
    compile(draft);
  } catch (error) {
    if (error instanceof ConfigRefused) return error.reasons;
    throw error;
  }
  return [];
}

describe('a path', () => {
  const routes = ['/chat', '/chat/eu', '/team/one'].map((path, index) => ({ ...through(`r${index}`), path }));
  const { path: _, ...withoutPath } = through('by-model');
  const { byPath } = serve(...routes, withoutPath);

  test.each([
    ['/chat', '/chat', ''],
    ['/chat/', '/chat', '/'],
    ['/chat/v1/embeddings', '/chat', '/v1/embeddings'],
    ['/chat/eu', '/chat/eu', ''],
    ['/chat/eu/x/', '/chat/eu', '/x/'],
    ['/chat/europe', '/chat', '/europe'],
    ['/chat//eu', '/chat', '//eu'],
    ['/team/one/two', '/team/one', '/two'],
  ])('%s belongs to the longest prefix that ends with a segment: %s', (path, owner, rest) => {
    const found = byPath(path);
    expect([found?.route.config.path, found?.rest]).toEqual([owner, rest]);
  });

  test.each(['/', '', '/chatty', '/team', '/team/on', '/CHAT', 'chat'])('%j belongs to no route', (path) => {
    expect(byPath(path)).toBeUndefined();
  });
});

describe('a model', () => {
  const named = (name: string, type: 'Exact' | 'Prefix', model: string): RouteConfig => ({
    ...through(name),
    models: [{ name: model, type }],
  });
  const { byModel, models } = serve(
    named('short', 'Prefix', 'gpt-'),
    named('long', 'Prefix', 'gpt-4'),
    named('exact', 'Exact', 'gpt-4o'),
    named('brief', 'Exact', 'gpt-'),
  );

  test.each([
    ['gpt-4o', 'default/exact'],
    ['gpt-4o-mini', 'default/long'],
    ['gpt-4', 'default/long'],
    ['gpt-3.5', 'default/short'],
    ['gpt-', 'default/brief'],
    ['gpt', undefined],
    ['GPT-4o', undefined],
    ['', undefined],
  ])('%j belongs to %s: an exact name goes before the longest prefix', (model, owner) => {
    expect(byModel(model)?.id).toBe(owner);
  });

  test('is listed if its name is exact', () => {
    expect([...models.keys()]).toEqual(['gpt-4o', 'gpt-']);
  });
});

describe('a configuration is refused', () => {
  test('with the credentials of another', () => {
    const { config } = configOf({ providers: [p], routes: [] });
    const { credentials } = configOf({ providers: [p], routes: [] });
    expect(() => compileSnapshot(config, credentials)).toThrow(ConfigRefused);
    expect(() => compileSnapshot(config, credentials)).toThrow(
      `the credentials are not those of revision ${config.revision}`,
    );
  });

  test('for a plugin without a module', () => {
    const routes = [route('r', [rule([backend('p')], { strategy: 'Plugin' })])];
    expect(reasons({ providers: [p], routes })).toEqual(['route default/r: rule default: names no module of a plugin']);
  });

  test('for an expression that does not compile', () => {
    const routes = [route('r', [rule([backend('p')], { matches: [{ headers: [], cel: 'request.body' }] })])];
    expect(reasons({ providers: [p], routes })).toEqual(['route default/r: No such key: body']);
  });

  test('for references that lead nowhere, each with its route', () => {
    const routes = [
      route('no-provider', [rule([backend('gone')])]),
      through('no-route', 'nowhere'),
      route('no-fallback', [rule([backend('p')], { failover: failover({ fallbackRoute: 'default/lost' }) })]),
      through('sound'),
    ];
    expect(reasons({ providers: [p], routes })).toEqual([
      'route default/no-provider: backend gone: provider default/gone does not exist',
      'route default/no-route: route default/nowhere does not exist',
      'route default/no-fallback: route default/lost does not exist',
    ]);
  });

  test('for references in a circle', () => {
    expect(reasons({ providers: [p], routes: [through('a', 'a')] })).toEqual([
      'route default/a: refers to itself through default/a',
    ]);
    const fallback = rule([backend('p')], { failover: failover({ fallbackRoute: 'default/a' }) });
    const circle = reasons({ providers: [p], routes: [through('a', 'b'), through('b', 'c'), route('c', [fallback])] });
    expect(circle).toContain('route default/a: refers to itself through default/a, default/b, default/c');
  });

  test('but not for two ways to the same route', () => {
    const { routes } = serve(through('a', 'b', 'c'), through('b', 'd'), through('c', 'd'), through('d'));
    expect(routes.size).toBe(4);
  });
});

describe('a pool', () => {
  const pool = provider('p', 'https://models.example', {
    credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } },
  });
  const keys = [
    upstreamKey('all', 'p', 's1'),
    upstreamKey('some', 'p', 's2', { models: ['gpt-*', 'llama'], weight: 3, priority: 1, expiresAt: 5 }),
    upstreamKey('off', 'p', 's3', { state: 'Disabled' }),
    upstreamKey('other', 'q', 's4'),
  ];

  test('has the keys that name its provider and are switched on', () => {
    const compiled = compile({ providers: [pool], routes: [], upstreamKeys: keys }).providers.get('default/p');
    expect(compiled?.keys).toMatchObject([
      { id: 'default/all', secret: 's1', weight: 1, priority: 0, expiresAtMs: undefined },
      { id: 'default/some', secret: 's2', weight: 3, priority: 1, expiresAtMs: 5 },
    ]);
  });

  test('has no key whose secret is missing', () => {
    const { config, credentials } = configOf({ providers: [pool], routes: [], upstreamKeys: keys });
    const without = { ...credentials, upstream: credentials.upstream.slice(1) };
    expect(
      compileSnapshot(config, without)
        .providers.get('default/p')
        ?.keys.map(({ id }) => id),
    ).toEqual(['default/some']);
  });

  test('knows which of its keys serve a model', () => {
    const compiled = compile({ providers: [pool], routes: [], upstreamKeys: keys }).providers.get('default/p');
    const serving = (model: string | undefined) =>
      compiled?.keys.filter((key) => key.serves(model)).map(({ id }) => id.slice('default/'.length));
    expect(serving('gpt-4o')).toEqual(['all', 'some']);
    expect(serving('llama')).toEqual(['all', 'some']);
    expect(serving('llama-3')).toEqual(['all']);
    expect(serving(undefined)).toEqual(['all']);
  });
});

test('client keys are found by what they are, with what they may do', () => {
  const { principal } = compile({
    providers: [],
    routes: [],
    clientKeys: [clientKey('c', 'secret', { tenant: 'shop', models: ['gpt-*'], expiresAt: 7 })],
  });
  expect(principal('secret')).toMatchObject({ id: 'default/c', tenant: 'shop', mayUseAll: false, expiresAtMs: 7 });
  expect(principal('secret')?.mayUse('gpt-4o')).toBe(true);
  expect(principal('secret')?.mayUse('llama')).toBe(false);
  expect(principal('Secret')).toBeUndefined();
  expect(principal('')).toBeUndefined();
});

test('every backend of every route is known by its id', () => {
  const { backends } = serve(through('a', 'b'), through('b'));
  expect([...backends.keys()]).toEqual(['default/a/p', 'default/b/p']);
  expect(backends.get('default/a/p')?.target).toBe('backend:default/a/p');
});

test('a backend that one rule leaves out and another serves is known by its id', () => {
  const closed = rule([], { name: 'closed', matches: [{ headers: [], tenant: 't' }], leftOut: ['p'] });
  expect([...serve(route('r', [closed, rule([backend('p')])])).backends.keys()]).toEqual(['default/r/p']);
});
