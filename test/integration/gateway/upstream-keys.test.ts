// Pools of upstream keys: whose turn it is, and that a key which does not work costs its pool nothing but itself.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ProviderConfig, UpstreamKeyConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { failover, type KeyDraft, route, ruleInOrder, upstreamKey } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { byKey, keyOf, keyRefusals, limited } from '../../support/key-upstream.ts';
import { answer, inTurn } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

type Keys = readonly KeyDraft<UpstreamKeyConfig>[];
type PoolStrategy = 'RoundRobin' | 'LeastUsed' | 'Weighted' | 'PriorityOrder';

/** A backend `pool` whose provider has these keys, then a backend `other` that needs none. */
function openPool(
  script: Script,
  keys: Keys,
  options: StageOptions & { readonly strategy?: PoolStrategy } = {},
): Promise<Stage<'pool' | 'other'>> {
  const { strategy = 'RoundRobin', ...rest } = options;
  return openStage(
    { pool: script, other: chat('other') },
    {
      ...rest,
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) =>
          it.id === 'default/pool' ? { ...it, credentials: pooled(strategy) } : it,
        ),
        upstreamKeys: keys,
      }),
    },
  );
}

function pooled(strategy: PoolStrategy): ProviderConfig['credentials'] {
  return { type: 'KeyPool', keyPool: { strategy, stickiness: 'None' } };
}

function keysNamed(...names: readonly string[]): Keys {
  return names.map((name) => upstreamKey(name, 'pool', name));
}

let asked = 0;

async function askOften(stage: Stage<string>, times: number, body: object = {}): Promise<string[]> {
  const backends: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const answered = await ask(stage.chatURL, { body: { ...chatRequest(`${asked++}`), ...body } });
    backends.push(answered.status === 200 ? (answered.headers['x-sluice-backend'] ?? '') : errorOf(answered).code);
  }
  return backends;
}

function usesOf(stage: Stage<'pool' | 'other'>): Record<string, number> {
  const uses: Record<string, number> = {};
  for (const key of stage.upstreams.pool.requests.map(keyOf)) uses[key] = (uses[key] ?? 0) + 1;
  return uses;
}

describe('the turn of keys', () => {
  const keys: Keys = [
    upstreamKey('a', 'pool', 'a', { weight: 3, priority: 1 }),
    upstreamKey('b', 'pool', 'b', { weight: 1, priority: 0 }),
    upstreamKey('c', 'pool', 'c', { weight: 1, priority: 0 }),
  ];

  it.each([
    ['RoundRobin', { a: 10, b: 10, c: 10 }],
    ['LeastUsed', { a: 10, b: 10, c: 10 }],
    ['Weighted', { a: 18, b: 6, c: 6 }],
    ['PriorityOrder', { b: 15, c: 15 }],
  ] as const)('is by %s', async (strategy, uses) => {
    await using stage = await openPool(byKey({}), keys, { strategy });
    expect(await askOften(stage, 30)).toEqual(Array.from({ length: 30 }, () => 'pool'));
    expect(usesOf(stage)).toEqual(uses);
  });

  it('goes to lower priorities only when those above are out', async () => {
    await using stage = await openPool(byKey({ b: keyRefusals['401'], c: keyRefusals['429'] }), keys, {
      strategy: 'PriorityOrder',
    });
    expect(new Set(await askOften(stage, 6))).toEqual(new Set(['pool']));
    expect(usesOf(stage)).toEqual({ a: 6, b: 1, c: 1 });
  });

  it('leaves out keys that are switched off, have expired, have no secret, or do not serve the model', async () => {
    const pool = [
      upstreamKey('off', 'pool', 'off', { state: 'Disabled' }),
      upstreamKey('past', 'pool', 'past', { expiresAt: Date.now() - 1 }),
      upstreamKey('gpt', 'pool', 'gpt', { models: ['gpt-*'] }),
      upstreamKey('good', 'pool', 'good', { models: ['chat', 'llama-3'] }),
    ];
    await using stage = await openPool(byKey({}), pool);
    await askOften(stage, 3);
    await askOften(stage, 2, { model: 'gpt-4o' });
    expect(usesOf(stage)).toEqual({ good: 3, gpt: 2 });
    expect(await askOften(stage, 1, { model: 'mistral' })).toEqual(['other']);
  });
});

describe.each(['RoundRobin', 'LeastUsed', 'Weighted', 'PriorityOrder'] as const)('with %s', (strategy) => {
  it.each(['401', '402', '403', '429', 'quota'] as const)(
    'no client notices a key that is answered %s, and it is not used again',
    async (refusal) => {
      await using stage = await openPool(byKey({ bad: keyRefusals[refusal] }), keysNamed('bad', 'b', 'c'), {
        strategy,
      });
      expect(new Set(await askOften(stage, 12))).toEqual(new Set(['pool']));
      expect(usesOf(stage)['bad']).toBe(1);
      const key = await stage.gateway.key('default/bad');
      const found = refusal === '403' || refusal === '429' ? key.models[0] : key;
      expect(found).toMatchObject({
        state: 'disabled',
        hard: refusal !== '429',
        reason: { 401: 'Authentication', 402: 'Quota', 403: 'Permission', 429: 'RateLimit', quota: 'Quota' }[refusal],
      });
      expect(await stage.gateway.backend('default/chat/pool')).toMatchObject({ state: 'enabled', models: [] });
    },
  );
});

it('tries every key of a pool within one request, and counts that as one attempt of the route', async () => {
  const bad = ['k1', 'k2', 'k3', 'k4', 'k5'];
  const script = byKey(Object.fromEntries(bad.map((name) => [name, keyRefusals['401']])));
  const keys = [...keysNamed(...bad), upstreamKey('good', 'pool', 'good', { priority: 1 })];
  await using stage = await openPool(script, keys, { strategy: 'PriorityOrder', failover: { maxAttempts: 1 } });
  const answered = await ask(stage.chatURL, { body: chatRequest('one') });
  expect(answered.headers).toMatchObject({ 'x-sluice-backend': 'pool', 'x-sluice-attempts': '6' });
  expect(usesOf(stage)).toEqual({ k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, good: 1 });
});

it('sends no more than 16 requests for one of a client, however many keys there are', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `k${index}`);
  const script = byKey(Object.fromEntries(names.map((name) => [name, keyRefusals['429']])));
  await using stage = await openPool(script, keysNamed(...names));
  expect(await askOften(stage, 1)).toEqual(['rate_limit_exceeded']);
  expect(stage.upstreams.pool.requests).toHaveLength(16);
});

it('goes to the next backend when the pool is empty, and back when the first key returns', async () => {
  await using stage = await openPool(byKey({ a: limited(1), b: limited(30) }), keysNamed('a', 'b'));
  expect(await askOften(stage, 3)).toEqual(['other', 'other', 'other']);
  expect(usesOf(stage)).toEqual({ a: 1, b: 1 });
  stage.upstreams.pool.script = byKey({});
  await delay(1100);
  expect(await askOften(stage, 2)).toEqual(['pool', 'pool']);
  expect(usesOf(stage)).toEqual({ a: 3, b: 1 });
});

it.each([
  ['one key', true],
  ['no key', false],
])(
  'serves others too while one request tries whether it works again, where nothing else is left: %s',
  async (_, keyed) => {
    // Of the whole account, not of a model.
    const error = { message: 'Requests rate limit exceeded' };
    const limit = answer({ error }, { status: 429, headers: { 'retry-after': '1' } });
    const script = inTurn(limit, chat('trial', { afterMs: 60_000 }), chat('beside'));
    await using stage = await openStage(
      { pool: script },
      {
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((it) => (keyed ? { ...it, credentials: pooled('RoundRobin') } : it)),
          upstreamKeys: keyed ? keysNamed('a') : [],
        }),
      },
    );
    expect(await askOften(stage, 1)).toEqual(['rate_limit_exceeded']);
    await delay(1100);
    const leave = new AbortController();
    const trial = ask(stage.chatURL, { body: chatRequest('trial'), signal: leave.signal });
    await eventually(() => stage.upstreams.pool.requests.length === 2);
    expect(await askOften(stage, 1)).toEqual(['pool']);
    leave.abort();
    await expect(trial).rejects.toThrow();
  },
);

it('tells the client of the soonest return where all keys are limited and nothing else is left', async () => {
  await using stage = await openPool(byKey({ a: limited(40), b: limited(20) }), keysNamed('a', 'b'), {
    rule: { backends: ruleInOrder(['pool']).backends },
  });
  const answered = await ask(stage.chatURL, { body: chatRequest('one') });
  expect([answered.status, errorOf(answered).code]).toEqual([429, 'rate_limit_exceeded']);
  expect(answered.headers['retry-after']).toBe('20');
});

it('never uses a refused key for want of a better one', async () => {
  await using stage = await openPool(byKey({ a: keyRefusals['401'], b: keyRefusals['402'] }), keysNamed('a', 'b'), {
    rule: { backends: ruleInOrder(['pool']).backends },
  });
  expect(await askOften(stage, 1)).toEqual(['upstream_error']);
  expect(new Set(await askOften(stage, 5))).toEqual(new Set(['all_backends_disabled']));
  expect(usesOf(stage)).toEqual({ a: 1, b: 1 });
});

it('lets a key that has worked rest briefly when it is refused, for vendors err', async () => {
  await using stage = await openPool(byKey({}), keysNamed('a', 'b'));
  await askOften(stage, 2);
  stage.upstreams.pool.script = byKey({ a: keyRefusals['401'] });
  await askOften(stage, 2);
  const key = await stage.gateway.key('default/a');
  expect(key).toMatchObject({ state: 'disabled', hard: false, reason: 'Authentication' });
  expect(Date.parse(key.until ?? '') - Date.now()).toBeLessThan(10_500);
});

it('takes a limit that the vendor names for the whole account as the key’s, not as the model’s', async () => {
  const error = { message: 'Rate limit reached for organization', type: 'requests', code: 'rate_limit_exceeded' };
  const script = answer({ error }, { status: 429 });
  await using stage = await openPool(byKey({ a: script }), keysNamed('a', 'b'));
  await askOften(stage, 2);
  await askOften(stage, 2, { model: 'another' });
  expect(usesOf(stage)['a']).toBeLessThanOrEqual(2);
});

it('rests a key only for the model that is limited', async () => {
  const script: Script = (exchange) =>
    (keyOf(exchange.request) === 'a' && exchange.request.json['model'] === 'chat' ? limited(30) : chat('x'))(exchange);
  await using stage = await openPool(script, keysNamed('a', 'b'));
  await askOften(stage, 4);
  await askOften(stage, 4, { model: 'another' });
  expect(usesOf(stage)).toEqual({ a: 3, b: 6 });
});

it('tries a key anew once its secret has changed', async () => {
  await using stage = await openPool(byKey({ old: keyRefusals['401'] }), [upstreamKey('one', 'pool', 'old')]);
  expect(await askOften(stage, 2)).toEqual(['other', 'other']);
  stage.gateway.configure({ ...stage.draft, upstreamKeys: [upstreamKey('one', 'pool', 'old')] });
  expect(await askOften(stage, 1)).toEqual(['other']);
  stage.gateway.configure({ ...stage.draft, upstreamKeys: [upstreamKey('one', 'pool', 'new')] });
  expect(await askOften(stage, 2)).toEqual(['pool', 'pool']);
  expect(usesOf(stage)).toEqual({ old: 1, new: 2 });
});

it('fails over to the next backend for a 401 of a provider that has no pool, and counts it against the backend', async () => {
  await using stage = await openStage({ none: keyRefusals['401'], other: chat('other') });
  expect(await askOften(stage, 2)).toEqual(['other', 'other']);
  expect(stage.upstreams.none.requests).toHaveLength(1);
  expect(await stage.gateway.backend('default/chat/none')).toMatchObject({ reason: 'Authentication' });
});

it.each([
  ['401', 401],
  ['403', 403],
  ['429', 429],
] as const)('passes a %s on to a client whose own credential it is about', async (refusal, status) => {
  await using stage = await openStage(
    { through: keyRefusals[refusal], other: chat('other') },
    {
      draft: (usual) => ({
        providers: usual.providers.map((it) => ({ ...it, credentials: { type: 'Passthrough' } })),
        routes: [route('chat', [ruleInOrder(['through', 'other'], { failover: failover() })])],
      }),
    },
  );
  const answered = await ask(stage.chatURL, { body: chatRequest('x'), headers: { authorization: 'Bearer sk-own' } });
  expect(answered.status).toBe(status);
  expect(keyOf(stage.upstreams.through.requests[0]!)).toBe('sk-own');
  expect(stage.upstreams.other.requests).toHaveLength(0);
  expect(await stage.gateway.backend('default/chat/through')).toMatchObject({ state: 'enabled', models: [] });
});

describe('a pool whose only key rests', () => {
  const onlyPool = (whenAllDisabled: 'SoonestExpiring' | 'Fail'): StageOptions => ({
    rules: [ruleInOrder(['pool'], { failover: failover({ whenAllDisabled }) })],
  });
  const refused = answer({ error: { message: 'no', code: 'invalid_api_key' } }, { status: 401 });

  it.each([
    ['SoonestExpiring', 'pool'],
    ['Fail', 'all_backends_disabled'],
  ] as const)('after it has worked and been refused, with %s, answers %s', async (whenAllDisabled, then) => {
    await using stage = await openPool(
      inTurn(chat('pool'), refused, chat('pool')),
      keysNamed('only'),
      onlyPool(whenAllDisabled),
    );
    expect(await askOften(stage, 3)).toEqual(['pool', 'upstream_auth_failed', then]);
  });
});
