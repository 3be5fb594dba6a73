// Which backend a request reaches: by path, pin, model, rule, referenced route, tier and strategy.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RuleConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { backend, clientKey, failover, route, rule, ruleInOrder } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';

const broken = answer('', { status: 500 });

/** The backend that answers. */
async function reached(stage: Stage<string>, path: string, body: object, headers = {}): Promise<string> {
  const answered = await ask(`${stage.gateway.url}${path}`, { body, headers });
  if (answered.status !== 200) return errorOf(answered).code;
  return answered.headers['x-sluice-backend'] ?? '';
}

/** How often each backend answers, out of so many requests. */
async function shares(stage: Stage<string>, requests: number, path = '/chat'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let count = 0; count < requests; count += 1) {
    const name = await reached(stage, path, chatRequest(`share ${count}`));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('by path', () => {
  it('takes everything below a route’s path to the route, with or without v1', async () => {
    await using stage = await openStage({ a: chat('a') });
    for (const path of ['/chat', '/chat/', '/chat/chat/completions', '/chat/v1/chat/completions']) {
      expect(await reached(stage, path, chatRequest('one')), path).toBe('a');
    }
    await ask(`${stage.gateway.url}/chat/v1/files/file-1?limit=2`);
    expect(stage.upstreams.a.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST /v1/chat/completions',
      'POST /v1/chat/completions',
      'POST /v1/chat/completions',
      'POST /v1/chat/completions',
      'GET /v1/files/file-1?limit=2',
    ]);
  });

  it('prefers the longest path, and does not take a name that only begins like it', async () => {
    await using stage = await openStage(
      { outer: chat('outer'), inner: chat('inner') },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            route('outer', [ruleInOrder(['outer'])], { path: '/llm' }),
            route('inner', [ruleInOrder(['inner'])], { path: '/llm/deep' }),
          ],
        }),
      },
    );
    expect(await reached(stage, '/llm/deep/chat/completions', {})).toBe('inner');
    expect(await reached(stage, '/llm/chat/completions', {})).toBe('outer');
    expect(await reached(stage, '/llm/deeper', {})).toBe('outer');
    expect(await reached(stage, '/llmx', {})).toBe('route_not_found');
  });

  it('pins the backend that the path names: it answers, or nobody does', async () => {
    await using stage = await openStage({ a: chat('a'), b: broken });
    expect(await reached(stage, '/chat/a', chatRequest('one'))).toBe('a');
    expect(await reached(stage, '/chat/b/v1/chat/completions', chatRequest('one'))).toBe('upstream_error');
    // Its failure has disabled it, and still the pin goes there.
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'disabled' });
    expect(await reached(stage, '/chat/b', chatRequest('two'))).toBe('upstream_error');
    expect(stage.upstreams.b.requests).toHaveLength(2);
    expect(stage.upstreams.a.requests).toHaveLength(1);
  });

  it('enables a pinned backend that works again, and refuses one that a person has switched off', async () => {
    await using stage = await openStage({ a: chat('a'), b: broken });
    await reached(stage, '/chat/b', chatRequest('one'));
    stage.upstreams.b.script = chat('b');
    expect(await reached(stage, '/chat/b', chatRequest('two'))).toBe('b');
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'enabled' });
    await stage.gateway.switchBackend('default/chat/b', 'disable');
    expect(await reached(stage, '/chat/b', chatRequest('three'))).toBe('backend_disabled');
    await stage.gateway.switchBackend('default/chat/b', 'enable');
    expect(await reached(stage, '/chat/b', chatRequest('four'))).toBe('b');
  });
});

describe('by model', () => {
  it('prefers the exact name, then the longest prefix', async () => {
    const models = {
      exact: [{ name: 'gpt-4o', type: 'Exact' }],
      long: [{ name: 'gpt-4', type: 'Prefix' }],
      short: [{ name: 'gpt-', type: 'Prefix' }],
    } as const;
    const names = Object.keys(models) as (keyof typeof models)[];
    await using stage = await openStage(
      { exact: chat('exact'), long: chat('long'), short: chat('short') },
      {
        draft: (usual) => ({
          ...usual,
          routes: names.map((name) => route(name, [ruleInOrder([name])], { models: [...models[name]] })),
        }),
      },
    );
    const by = (model: string): Promise<string> => reached(stage, '/v1/chat/completions', { model });
    expect(await by('gpt-4o')).toBe('exact');
    expect(await by('gpt-4o-mini')).toBe('long');
    expect(await by('gpt-3.5')).toBe('short');
    expect(await by('GPT-4o')).toBe('route_not_found');
    expect(await reached(stage, '/openai/v1/chat/completions', { model: 'gpt-4o' })).toBe('exact');
    expect(stage.upstreams['long']?.requests[0]?.json).toEqual({ model: 'gpt-4o-mini' });
  });
});

describe('by rule', () => {
  const header = (name: string, type: 'Exact' | 'Prefix' | 'Present', value?: string) => ({
    headers: [{ name, type, ...(value === undefined ? {} : { value }) }],
  });
  const named = (name: string, matches: RuleConfig['matches']): RuleConfig => ruleInOrder([name], { name, matches });

  it('takes the first rule that matches: by headers, tenant, labels of the key, CEL', async () => {
    await using stage = await openStage(
      { exact: chat('a'), prefix: chat('a'), tenant: chat('a'), label: chat('a'), cel: chat('a'), rest: chat('a') },
      {
        rules: [
          named('exact', [header('X-Region', 'Exact', 'eu')]),
          named('prefix', [header('x-region', 'Prefix', 'us-'), header('x-any', 'Present')]),
          named('tenant', [{ headers: [], tenant: 'acme' }]),
          named('label', [{ headers: [], keySelector: { matchLabels: { tier: 'gold' } } }]),
          named('cel', [{ headers: [], cel: "request.stream == true && request.model.startsWith('big-')" }]),
          named('rest', []),
        ],
        draft: (usual) => ({
          ...usual,
          clientKeys: [
            clientKey('acme', 'sk-acme', { tenant: 'acme' }),
            clientKey('gold', 'sk-gold', { labels: { tier: 'gold' } }),
          ],
        }),
      },
    );
    const by = (headers: object, body: object = {}): Promise<string> => reached(stage, '/chat', body, headers);
    expect(await by({ 'x-region': 'eu' })).toBe('exact');
    expect(await by({ 'x-region': 'eu-west' })).toBe('rest');
    expect(await by({ 'x-region': 'us-east' })).toBe('prefix');
    expect(await by({ 'x-any': '' })).toBe('prefix');
    expect(await by({ authorization: 'Bearer sk-acme' })).toBe('tenant');
    expect(await by({ 'x-api-key': 'sk-gold' })).toBe('label');
    expect(await by({}, { model: 'big-one', stream: true })).toBe('cel');
    expect(await by({}, { model: 'big-one' })).toBe('rest');
    expect(await by({})).toBe('rest');
  });

  it('says so where none matches', async () => {
    await using stage = await openStage({ a: chat('a') }, { rule: { matches: [header('x-a', 'Present')] } });
    expect(await reached(stage, '/chat', {})).toBe('no_rule_matched');
    expect(await reached(stage, '/chat/a', {})).toBe('a');
  });

  it('leaves out what a rule requires otherwise, even for a pin', async () => {
    const require = [{ attribute: { name: 'residency', operator: 'In' as const, values: ['eu'] } }];
    await using stage = await openStage(
      { us: chat('us'), eu: chat('eu') },
      {
        rule: { require },
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((it) =>
            it.id === 'default/eu' ? { ...it, attributes: { residency: 'eu' } } : it,
          ),
        }),
      },
    );
    expect(await reached(stage, '/chat', {})).toBe('eu');
    expect(await reached(stage, '/chat/us', {})).toBe('no_backend');
    expect(stage.upstreams.us.requests).toHaveLength(0);
  });
});

describe('by reference', () => {
  it('enters another route in the place of a backend, whose access is not asked', async () => {
    await using stage = await openStage(
      { own: broken, inner: chat('inner') },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            route('chat', [rule([backend('own'), backend('other', { route: 'default/closed', priority: 1 })])]),
            route('closed', [ruleInOrder(['inner'])], { access: { mode: 'AllKeys', namespaces: ['elsewhere'] } }),
          ],
        }),
      },
    );
    expect(await reached(stage, '/chat', chatRequest('one'))).toBe('inner');
    expect(await reached(stage, '/closed', chatRequest('one'))).toBe('invalid_api_key');
    expect(await stage.gateway.backend('default/chat/own')).toMatchObject({ state: 'disabled' });
  });

  it('falls back to another route only when its own backends are of no use', async () => {
    await using stage = await openStage(
      { a: chat('a'), spare: chat('spare') },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            route('chat', [ruleInOrder(['a'], { failover: failover({ fallbackRoute: 'default/spare' }) })]),
            route('spare', [ruleInOrder(['spare'])]),
          ],
        }),
      },
    );
    expect(await shares(stage, 3)).toEqual({ a: 3 });
    stage.upstreams.a.script = broken;
    expect(await shares(stage, 3)).toEqual({ spare: 3 });
    expect(stage.upstreams.a.requests).toHaveLength(4);
  });
});

describe('by tier and strategy', () => {
  it('uses a lower tier only while everything above it is disabled', async () => {
    await using stage = await openStage(
      { a: chat('a'), b: chat('b'), last: chat('last') },
      {
        rule: {
          backends: [backend('a'), backend('b'), backend('last', { priority: 7 })],
          failover: failover({ disable: { failures: 1, windowSeconds: 60, seconds: 0.3 } }),
        },
      },
    );
    expect(await shares(stage, 4)).toEqual({ a: 2, b: 2 });
    stage.upstreams.a.script = broken;
    expect(await shares(stage, 4)).toEqual({ b: 4 });
    stage.upstreams.b.script = broken;
    expect(await shares(stage, 2)).toEqual({ last: 2 });
    stage.upstreams.a.script = chat('a');
    stage.upstreams.b.script = chat('b');
    await delay(400);
    expect(await shares(stage, 4)).toEqual({ a: 2, b: 2 });
  });

  it('shares by weight with Weighted, evenly with RoundRobin, and leaves nobody out with Random', async () => {
    const names = ['a', 'b', 'c'];
    const scripts = Object.fromEntries(names.map((name) => [name, chat(name)]));
    const weights: Record<string, number> = { a: 5, b: 3, c: 2 };
    await using stage = await openStage<string>(scripts, {
      draft: (usual) => ({
        ...usual,
        routes: (['Weighted', 'RoundRobin', 'Random'] as const).map((strategy) =>
          route(strategy.toLowerCase(), [
            rule(
              names.map((name) => backend(name, { weight: weights[name] ?? 1 })),
              { strategy },
            ),
          ]),
        ),
      }),
    });
    expect(await shares(stage, 30, '/weighted')).toEqual({ a: 15, b: 9, c: 6 });
    expect(await shares(stage, 30, '/roundrobin')).toEqual({ a: 10, b: 10, c: 10 });
    const random = await shares(stage, 120, '/random');
    expect(Math.min(...names.map((name) => random[name] ?? 0))).toBeGreaterThan(20);
  });

  it('sends nothing to a backend of weight 0 while another can be used', async () => {
    await using stage = await openStage(
      { a: chat('a'), b: chat('b') },
      { rule: { strategy: 'Weighted', backends: [backend('a'), backend('b', { weight: 0 })] } },
    );
    expect(await shares(stage, 10)).toEqual({ a: 10 });
  });
});

it('sends the upstream name of a model, and the model of the client where a backend has none', async () => {
  await using stage = await openStage(
    { a: chat('a') },
    {
      draft: ({ providers: [only, ...rest], ...usual }) => ({
        ...usual,
        providers: only === undefined ? rest : [{ ...only, models: [{ name: 'pretty', upstreamName: 'ugly-2024' }] }],
        routes: [
          route('named', [rule([backend('a', { model: 'pretty' })])]),
          route('open', [rule([backend('a')])], { models: [{ name: '', type: 'Prefix' }] }),
        ],
      }),
    },
  );
  await reached(stage, '/named', { model: 'whatever' });
  await reached(stage, '/v1/chat/completions', { model: 'theirs' });
  expect(stage.upstreams.a.requests.map(({ json }) => json['model'])).toEqual(['ugly-2024', 'theirs']);
});
