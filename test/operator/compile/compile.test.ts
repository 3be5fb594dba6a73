import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { providerTimeoutsSchema } from '../../../crds/timeouts.ts';
import { type Compiled, compile } from '../../../operator/compile/compile.ts';
import { canonicalJSON } from '../../../operator/compile/digest.ts';
import { timeoutDefaults } from '../../../operator/compile/providers.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { type Manifest, readWorld, toWorld } from './world-of.ts';

const openProvider: Manifest = {
  kind: 'LLMProvider',
  metadata: { name: 'p' },
  spec: { type: 'Groq', credentials: { type: 'None' } },
};

function compileGolden(name: string): Compiled {
  return compile(readWorld(readFileSync(join(import.meta.dirname, 'golden', `${name}.in.yaml`), 'utf8')));
}

function routeOf(name: string, rules: readonly object[], claim: object = { path: `/${name}` }): Manifest {
  return { kind: 'LLMRoute', metadata: { name }, spec: { ...claim, rules } };
}

test('a refused reference reads the same whether or not there is a provider', () => {
  const withTarget = compileGolden('reference-refused-with-target').diagnostics;
  expect(withTarget).toHaveLength(1);
  expect(compileGolden('reference-refused-without-target').diagnostics).toEqual(withTarget);
});

test('an unlabelled Secret reads the same as one that does not exist', () => {
  const labels = { 'sluice.dev/credential': 'false' };
  const key = {
    kind: 'LLMKey',
    metadata: { name: 'k' },
    spec: { type: 'Client', secretRef: { name: 's', key: 'key' }, client: { models: ['*'] } },
  };
  const secret = { kind: 'Secret', metadata: { name: 's', labels }, stringData: { key: 'CANARY' } };
  expect(compile(toWorld([key, secret])).diagnostics).toEqual(compile(toWorld([key])).diagnostics);
});

test('the sentences of the API name the timeouts that a provider has where it gives none', () => {
  const sentences = Object.entries(providerTimeoutsSchema.shape).map(([name, { description = '' }]) => [
    name,
    Number(/; (\d+) where left out\.$/.exec(description)?.[1]),
  ]);
  expect(Object.fromEntries(sentences)).toEqual(timeoutDefaults);
});

test('what is inherited is capped by the total that is in force, and not by one that the rule replaces', () => {
  const brief = { ...openProvider, spec: { ...Object(openProvider['spec']), timeouts: { totalSeconds: 30 } } };
  const toBrief = (name: string): object => ({ name, backends: [{ name, providerRef: { name: 'p' } }] });
  const longer = { ...toBrief('longer'), matches: [{ tenant: 't' }], timeouts: { totalSeconds: 900 } };
  const { config, credentials } = compile(toWorld([brief, routeOf('r', [longer, toBrief('inherits')])]));
  const { backends } = compileSnapshot(config, credentials);
  const connectMs = 5000;
  expect([...backends.values()].map(({ timeouts }) => timeouts)).toEqual([
    { connectMs, firstContentMs: 60_000, responseMs: 300_000, idleMs: 60_000, totalMs: 900_000 },
    { connectMs, firstContentMs: 30_000, responseMs: 30_000, idleMs: 30_000, totalMs: 30_000 },
  ]);
});

describe('digests', () => {
  test('say nothing of the revision', () => {
    const world = toWorld([openProvider]);
    const later = { ...world, now: world.now + 1, lastRevision: world.now + 10 };
    expect(compile(later).config).toEqual({ ...compile(world).config, revision: world.now + 11 });
  });

  test('of credentials change with a secret, and so does that of the configuration', () => {
    const [one, two] = ['CANARY-1', 'CANARY-2'].map((value) =>
      compile(
        readWorld(
          readFileSync(join(import.meta.dirname, 'golden', 'key-upstream.in.yaml'), 'utf8').replace(
            'CANARY-value',
            value,
          ),
        ),
      ),
    );
    expect(one?.credentials.digest).not.toBe(two?.credentials.digest);
    expect(one?.config.credentialsDigest).toBe(one?.credentials.digest);
    expect(one?.config.digest).not.toBe(two?.config.digest);
  });

  test('do not depend on the order of members', () => {
    expect(canonicalJSON({ b: [{ d: 1, c: undefined }], a: null, 10: 'x', 9: '"' })).toBe(
      '{"10":"x","9":"\\"","a":null,"b":[{"d":1}]}',
    );
    expect(canonicalJSON({ 9: '"', a: null, 10: 'x', b: [{ d: 1 }] })).toBe(
      '{"10":"x","9":"\\"","a":null,"b":[{"d":1}]}',
    );
  });
});

test('a route has at most 1024 backends, those of the routes it refers to included', () => {
  const full = Array.from({ length: 16 }, (_, rule) => ({
    name: `rule-${rule}`,
    matches: [{ tenant: `t${rule}` }],
    backends: Array.from({ length: 32 }, (_, index) => ({ name: `b${index}`, providerRef: { name: 'p' } })),
  }));
  const references = ['one', 'two', 'three'].map((name) => ({ name: `to-${name}`, routeRef: { name } }));
  const { config, diagnostics } = compile(
    toWorld([
      openProvider,
      ...['one', 'two', 'three'].map((name) => routeOf(name, full)),
      routeOf('all', [{ name: 'all', backends: references }]),
    ]),
  );
  expect(config.routes.find(({ id }) => id === 'default/all')?.rules[0]?.backends.map(({ route }) => route)).toEqual([
    'default/one',
    'default/two',
  ]);
  expect(diagnostics).toMatchObject([
    { name: 'all', extent: 'part', field: 'spec.rules[0].backends[2].routeRef', message: /1024/ },
  ]);
});

test('a path can refer to routes as long as there are routes, without exhausting the stack', () => {
  const chain = Array.from({ length: 5_000 }, (_, index) =>
    routeOf(`r${index}`, [{ name: 'all', backends: [{ name: 'next', routeRef: { name: `r${index + 1}` } }] }]),
  );
  expect(compile(toWorld(chain)).diagnostics).toHaveLength(5_000);
});
