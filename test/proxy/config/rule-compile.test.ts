import { describe, expect, test } from 'vitest';
import type { RuleConfig } from '../../../proxy/config/schema.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { Backend, Route } from '../../../proxy/config/snapshot.ts';
import { backend, configOf, failover, provider, route, rule } from '../../support/config.ts';

const euOnly = [{ attribute: { name: 'residency', operator: 'In' as const, values: ['eu'] } }];
const models = [{ name: 'llama', upstreamName: 'meta/llama-3' }];
const quick = { connectSeconds: 2, firstContentSeconds: 20, responseSeconds: 30, idleSeconds: 10, totalSeconds: 30 };
const providers = [
  provider('eu', 'https://eu.example', { attributes: { residency: 'eu' }, models }),
  provider('us', 'https://us.example', { attributes: { residency: 'us' } }),
  provider('quick', 'https://quick.example', { timeouts: quick }),
];

function compile(...rules: readonly RuleConfig[]): Route {
  const { config, credentials } = configOf({ providers, routes: [route('r', rules), route('other', [rule([])])] });
  const compiled = compileSnapshot(config, credentials).routes.get('default/r');
  if (compiled === undefined) throw new Error('the route is gone');
  return compiled;
}

function firstBackend({ rules: [first] }: Route): Backend | undefined {
  const candidate = first?.tiers[0]?.candidates[0];
  return candidate?.kind === 'backend' ? candidate : undefined;
}

describe('tiers', () => {
  test('are made of priorities, the lowest first, and keep the order of their backends', () => {
    const priorities = { a: 1, b: 0, c: 10, d: 1 };
    const backends = Object.entries(priorities).map(([name, priority]) =>
      backend(name, { provider: 'default/us', priority }),
    );
    const [compiled] = compile(rule(backends)).rules;
    expect(
      compiled?.tiers.map(({ id, priority, candidates }) => [id, priority, candidates.map(({ name }) => name)]),
    ).toEqual([
      ['default/r/default/0', 0, ['b']],
      ['default/r/default/1', 1, ['a', 'd']],
      ['default/r/default/10', 10, ['c']],
    ]);
  });

  test('leave out what the rule excludes, and say why', () => {
    const [compiled] = compile(rule([backend('us'), backend('eu', { priority: 1 })], { require: euOnly })).rules;
    expect(compiled?.tiers.map(({ priority }) => priority)).toEqual([1]);
    expect(compiled?.excluded).toMatchObject([{ candidate: { name: 'us' }, reason: 'residency must be one of eu' }]);
  });

  test('may be none at all', () => {
    const closed = rule([], { matches: [{ headers: [], tenant: 't' }] });
    const { rules, pins } = compile(closed, rule([backend('us')], { name: 'rest' }));
    expect(rules).toMatchObject([{ name: 'default', tiers: [], excluded: [], totalMs: 600_000 }, { name: 'rest' }]);
    expect([...pins.keys()]).toEqual(['us']);
  });
});

describe('a pin', () => {
  const tenant = { name: 'one', matches: [{ headers: [], tenant: 't' }] };

  test('is the first candidate of a name, with its rule', () => {
    const { rules, pins } = compile(
      rule([backend('us')], tenant),
      rule([backend('us'), backend('eu')], { name: 'two' }),
    );
    expect([...pins.values()]).toMatchObject([
      { name: 'us', rule: { name: 'one' }, excluded: false },
      { name: 'eu', rule: { name: 'two' }, excluded: false },
    ]);
    expect(pins.get('us')).toMatchObject({ candidate: rules[0]?.tiers[0]?.candidates[0] });
  });

  test('of a name that its rule leaves out leads nowhere, also where a later rule serves it', () => {
    const one = rule([], { ...tenant, leftOut: ['us', 'gone'] });
    const { rules, pins } = compile(one, rule([backend('us'), backend('eu')], { name: 'two', leftOut: ['bad'] }));
    expect([...pins]).toMatchObject([
      ['us', { kind: 'left-out', name: 'us', rule: { name: 'one' } }],
      ['gone', { kind: 'left-out', name: 'gone', rule: { name: 'one' } }],
      ['eu', { kind: 'candidate', rule: { name: 'two' } }],
      ['bad', { kind: 'left-out', name: 'bad', rule: { name: 'two' } }],
    ]);
    expect(rules[1]?.tiers[0]?.candidates.map(({ name }) => name)).toEqual(['us', 'eu']);
  });

  test('stays where the rule excludes its candidate, and says so', () => {
    const { pins } = compile(rule([backend('us'), backend('eu')], { require: euOnly }));
    expect([pins.get('us'), pins.get('eu')]).toMatchObject([{ excluded: true }, { excluded: false }]);
  });
});

describe('what is sent upstream as the model', () => {
  test.each([
    ['the name that the provider gives it', 'eu', 'llama', 'meta/llama-3'],
    ['the name of the route where the provider lists none', 'us', 'llama', 'llama'],
    ["the client's own where the route names none", 'us', undefined, undefined],
  ])('is %s', (_what, name, model, upstreamModel) => {
    const compiled = firstBackend(compile(rule([backend(name, model === undefined ? {} : { model })])));
    expect([compiled?.model, compiled?.upstreamModel]).toEqual([model, upstreamModel]);
  });
});

describe('timeouts', () => {
  test("are the provider's where the rule gives none", () => {
    const expected = { connectMs: 2000, firstContentMs: 20_000, responseMs: 30_000, idleMs: 10_000, totalMs: 30_000 };
    expect(firstBackend(compile(rule([backend('quick')])))?.timeouts).toEqual(expected);
  });

  test("of the rule override the provider's, and the total caps what is inherited", () => {
    const compiled = compile(rule([backend('us')], { timeouts: { connectSeconds: 1, totalSeconds: 50 } }));
    const expected = { connectMs: 1000, firstContentMs: 50_000, responseMs: 50_000, idleMs: 50_000, totalMs: 50_000 };
    expect(firstBackend(compiled)?.timeouts).toEqual(expected);
  });

  const toOther = failover({ fallbackRoute: 'default/other' });
  test.each([
    ['the longest of its backends', rule([backend('quick'), backend('us')]), 600_000],
    ['that of its only backend', rule([backend('quick')]), 30_000],
    ['its own', rule([backend('us')], { timeouts: { totalSeconds: 5 } }), 5000],
    [
      'its own, also where all its backends are elsewhere',
      rule([], { failover: toOther, timeouts: { totalSeconds: 5 } }),
      5000,
    ],
    ['ten minutes where nobody says', rule([backend('to', { route: 'default/other' })]), 600_000],
  ])('bound a rule by %s', (_what, config, totalMs) => {
    expect(compile(config).rules[0]?.totalMs).toBe(totalMs);
  });
});

test('a reference leads to the route itself', () => {
  const [compiled] = compile(
    rule([backend('to', { route: 'default/other', weight: 3 })], {
      failover: failover({ fallbackRoute: 'default/other' }),
    }),
  ).rules;
  const candidate = compiled?.tiers[0]?.candidates[0];
  expect(candidate).toMatchObject({ kind: 'route', name: 'to', weight: 3 });
  expect(candidate?.kind === 'route' && candidate.route.id).toBe('default/other');
  expect(compiled?.fallback?.route.id).toBe('default/other');
});
