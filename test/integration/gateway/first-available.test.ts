// FirstAvailable: one request at a time for each backend, over all gateways that share Redis.

import { describe, expect, it } from 'vitest';
import { createRedisStore } from '../../../proxy/state/redis-store.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, type PlainAnswer } from '../../support/client.ts';
import { backend, failover, route, rule } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { startRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { answer, inTurn, stopAtOnce } from '../../support/scripts.ts';
import { openStage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const program = await requires('redis-server');

/** A chat that notes how many requests it had at once. */
function counted(name: string, afterMs: number): { readonly script: Script; readonly most: () => number } {
  let present = 0;
  let most = 0;
  const script = chat(name, { afterMs });
  return {
    most: () => most,
    async script(exchange) {
      present += 1;
      most = Math.max(most, present);
      await exchange.wait(0);
      try {
        await script(exchange);
      } finally {
        present -= 1;
      }
    },
  };
}

function firstAvailable(names: readonly string[], waitSeconds = 30): StageOptions {
  return {
    rule: {
      strategy: 'FirstAvailable',
      firstAvailable: { waitSeconds },
      backends: names.map((name) => backend(name)),
    },
  };
}

function backendOf({ headers }: PlainAnswer): string | undefined {
  return headers['x-sluice-backend'];
}

describe('in one gateway', () => {
  it('takes the first that is free, in the order of the rule, and waits for none while another is', async () => {
    const a = counted('a', 300);
    await using stage = await openStage({ a: a.script, b: chat('b') }, firstAvailable(['a', 'b']));
    const slow = ask(stage.chatURL, { body: chatRequest('one') });
    await eventually(() => stage.upstreams.a.requests.length === 1);
    expect(backendOf(await ask(stage.chatURL, { body: chatRequest('two') }))).toBe('b');
    expect(backendOf(await slow)).toBe('a');
    expect(backendOf(await ask(stage.chatURL, { body: chatRequest('three') }))).toBe('a');
  });

  it('keeps the slot until a stream has ended, and gives it up when the client leaves', async () => {
    await using stage = await openStage({ a: chat('a', { words: 500, gapMs: 20 }) }, firstAvailable(['a']));
    const leave = new AbortController();
    const streaming = ask(stage.chatURL, { body: chatRequest('one', { stream: true }), signal: leave.signal });
    await eventually(async () => (await stage.gateway.backend('default/chat/a')).inFlight === 1);
    stage.upstreams.a.script = chat('a');
    const next = ask(stage.chatURL, { body: chatRequest('two') });
    await eventually(() => stage.upstreams.a.requests.length === 1);
    leave.abort();
    await expect(streaming).rejects.toThrow();
    expect((await next).status).toBe(200);
  });

  it('asks a lower priority before anybody waits', async () => {
    await using stage = await openStage(
      { a: chat('a', { afterMs: 400 }), b: chat('b') },
      { rule: { strategy: 'FirstAvailable', backends: [backend('a'), backend('b', { priority: 1 })] } },
    );
    const slow = ask(stage.chatURL, { body: chatRequest('one') });
    await eventually(() => stage.upstreams.a.requests.length === 1);
    expect(backendOf(await ask(stage.chatURL, { body: chatRequest('two') }))).toBe('b');
    await slow;
  });

  it('says that all are busy when the wait is over', async () => {
    await using stage = await openStage({ a: chat('a', { afterMs: 600_000 }) }, firstAvailable(['a'], 0.2));
    const leave = new AbortController();
    const hanging = ask(stage.chatURL, { body: chatRequest('one'), signal: leave.signal });
    await eventually(() => stage.upstreams.a.requests.length === 1);
    const busy = await ask(stage.chatURL, { body: chatRequest('two') });
    expect(busy.status).toBe(503);
    expect(busy.headers).toMatchObject({
      'x-sluice-error': 'all_backends_busy',
      'x-should-retry': 'true',
      'retry-after': '1',
    });
    leave.abort();
    await expect(hanging).rejects.toThrow();
  });

  it('keeps nobody waiting for what is answered here', async () => {
    await using stage = await openStage({ a: stopAtOnce('stall') }, firstAvailable(['a'], 0.2));
    const leave = new AbortController();
    const hanging = ask(stage.chatURL, { body: chatRequest('one'), signal: leave.signal });
    await eventually(() => stage.upstreams.a.requests.length === 1);
    const { url } = stage.gateway;
    expect((await ask(`${url}/v1/messages/count_tokens`, { body: chatRequest('two') })).status).toBe(200);
    leave.abort();
    await expect(hanging).rejects.toThrow();
  });

  it('goes on to the next one when one fails, and gives its slot back', async () => {
    await using stage = await openStage(
      { a: answer('', { status: 500 }), b: chat('b') },
      { ...firstAvailable(['a', 'b']), failover: { disable: { failures: 1, windowSeconds: 60, seconds: 0 } } },
    );
    for (let count = 0; count < 3; count += 1) {
      expect(backendOf(await ask(stage.chatURL, { body: chatRequest(`${count}`) }))).toBe('b');
    }
    expect(stage.upstreams.a.requests).toHaveLength(3);
  });

  it('keeps those waiting who wait when one fails that is the last: whoever is next finds out whether it works', async () => {
    const a = inTurn(answer('', { status: 500, afterMs: 200 }), chat('a', { afterMs: 200 }));
    await using stage = await openStage({ a }, firstAvailable(['a']));
    const asked = Array.from({ length: 5 }, (_, index) => ask(stage.chatURL, { body: chatRequest(`${index}`) }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200)).toEqual([502]);
  });

  it('makes a pinned request wait for its backend, and for no other', async () => {
    await using stage = await openStage({ a: chat('a', { afterMs: 200 }), b: chat('b') }, firstAvailable(['a', 'b']));
    const pinned = (): Promise<PlainAnswer> => ask(`${stage.gateway.url}/chat/a`, { body: chatRequest('one') });
    const answers = await Promise.all([pinned(), pinned()]);
    expect(answers.map(backendOf)).toEqual(['a', 'a']);
    expect(stage.upstreams.b.requests).toHaveLength(0);
  });
});

describe('a slot', () => {
  const failsAtOnce = { failures: 1, windowSeconds: 60 };
  const exclusive = { strategy: 'FirstAvailable', firstAvailable: { waitSeconds: 30 } } as const;
  const gpus = route('gpus', [rule([backend('gpu')], exclusive)]);

  it.each([
    ['the fallback route', rule([backend('cloud')], { failover: failover({ fallbackRoute: 'default/gpus' }) })],
    ['a lower priority', rule([backend('cloud'), backend('more', { route: 'default/gpus', priority: 1 })])],
    ['a spare', rule([backend('cloud'), backend('more', { route: 'default/gpus', weight: 0 })])],
  ])('of %s is not held by a request that is served before it', async (_, first) => {
    await using stage = await openStage(
      { cloud: chat('cloud', { afterMs: 600_000 }), gpu: chat('gpu') },
      { draft: (usual) => ({ ...usual, routes: [route('chat', [first]), gpus] }) },
    );
    const leave = new AbortController();
    const slow = ask(stage.chatURL, { body: chatRequest('one'), signal: leave.signal });
    await eventually(() => stage.upstreams.cloud.requests.length === 1);
    const answered = await ask(`${stage.gateway.url}/gpus/chat/completions`, { body: chatRequest('two') });
    expect(backendOf(answered)).toBe('gpu');
    leave.abort();
    await expect(slow).rejects.toThrow();
  });

  const cloudFirst = [backend('cloud'), backend('more', { route: 'default/gpus', priority: 1 })];

  it.each([
    ['after a backend', rule(cloudFirst)],
    ['before a backend', rule([backend('more', { route: 'default/gpus' }), backend('cloud', { priority: 1 })])],
  ])('is waited for %s that cannot be told what the request wants', async (_, first) => {
    await using stage = await openStage(
      { cloud: chat('cloud'), gpu: chat('gpu', { afterMs: 200 }) },
      {
        draft: ({ providers }) => ({
          providers: providers.map((it) => (it.id === 'default/cloud' ? { ...it, type: 'Anthropic' } : it)),
          routes: [route('chat', [first]), gpus],
        }),
      },
    );
    const body = { ...chatRequest('one'), n: 2 };
    const answers = await Promise.all([ask(stage.chatURL, { body }), ask(stage.chatURL, { body })]);
    expect(answers.map(backendOf)).toEqual(['gpu', 'gpu']);
    expect(stage.upstreams.cloud.requests).toHaveLength(0);
  });

  it.each(['Fail', 'SoonestExpiring'] as const)(
    'is asked for after a backend on trial (%s)',
    async (whenAllDisabled) => {
      const first = rule(cloudFirst, {
        failover: failover({ whenAllDisabled, disable: { ...failsAtOnce, seconds: 0.2 } }),
      });
      await using stage = await openStage(
        { cloud: answer('', { status: 500 }), gpu: chat('gpu') },
        { draft: (usual) => ({ ...usual, routes: [route('chat', [first]), gpus] }) },
      );
      expect(backendOf(await ask(stage.chatURL, { body: chatRequest('one') }))).toBe('gpu');
      stage.upstreams.cloud.script = stopAtOnce('stall');
      await eventually(async () => (await stage.gateway.backend('default/chat/cloud')).state !== 'disabled');
      const leave = new AbortController();
      const trying = ask(stage.chatURL, { body: chatRequest('two'), signal: leave.signal });
      await eventually(() => stage.upstreams.cloud.requests.length === 2);
      expect(backendOf(await ask(stage.chatURL, { body: chatRequest('three') }))).toBe('gpu');
      leave.abort();
      await expect(trying).rejects.toThrow();
    },
  );

  it('of a backend that has refused is given back, also where slow ones are joined by others', async () => {
    const refusal = answer({ error: { message: 'no' } }, { status: 400 });
    await using stage = await openStage(
      { a: refusal, b: chat('b', { afterMs: 600_000 }) },
      { ...firstAvailable(['a', 'b'], 1), failover: { on: ['BadRequest'], hedgeSeconds: 30 } },
    );
    const leave = new AbortController();
    const slow = ask(stage.chatURL, { body: chatRequest('one'), signal: leave.signal });
    await eventually(() => stage.upstreams.b.requests.length === 1);
    stage.upstreams.a.script = chat('a');
    expect(backendOf(await ask(stage.chatURL, { body: chatRequest('two') }))).toBe('a');
    leave.abort();
    await expect(slow).rejects.toThrow();
  });

  it('of a slow backend is given back as soon as another one that joined it answers', async () => {
    await using stage = await openStage(
      { gpu: stopAtOnce('stall'), cloud: chat('cloud', { words: 500, gapMs: 20 }) },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            route('chat', [
              rule([backend('more', { route: 'default/gpus' }), backend('cloud', { priority: 1 })], {
                failover: failover({ hedgeSeconds: 0.1 }),
              }),
            ]),
            gpus,
          ],
        }),
      },
    );
    const leave = new AbortController();
    const streaming = ask(stage.chatURL, { body: chatRequest('one', { stream: true }), signal: leave.signal });
    await eventually(() => stage.upstreams.cloud.requests.length === 1);
    stage.upstreams.gpu.script = chat('gpu');
    const answered = await ask(`${stage.gateway.url}/gpus/chat/completions`, { body: chatRequest('two') });
    expect(backendOf(answered)).toBe('gpu');
    leave.abort();
    expect((await streaming).broken).toBe(true);
  });
});

program.describe('over several gateways', () => {
  it('gives each backend one request at a time, and every request an answer', async () => {
    await using redis = await startRedis(program.path);
    const [a, b] = [counted('a', 15), counted('b', 15)];
    const gateway = { redisURL: redis.url };
    await using stage = await openStage({ a: a.script, b: b.script }, { ...firstAvailable(['a', 'b']), gateway });
    await using other = await startTestGateway(stage.draft, gateway);
    const urls = [stage.chatURL, `${other.url}/chat/chat/completions`];
    const asked = Array.from({ length: 60 }, (_, index) =>
      ask(urls[index % 2] ?? '', { body: chatRequest(`${index}`) }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect([a.most(), b.most()]).toEqual([1, 1]);
    expect(stage.upstreams.a.requests.length + stage.upstreams.b.requests.length).toBe(60);
  });

  it('frees the slot of a proxy that has died when its lease has run out', async () => {
    await using redis = await startRedis(program.path);
    await using stage = await openStage(
      { a: chat('a') },
      { ...firstAvailable(['a']), gateway: { redisURL: redis.url } },
    );
    const quiet = { info: () => undefined, warn: () => undefined };
    const settings = { className: 'default', clock: systemClock, random: Math.random, log: quiet, replicas: 1 };
    const dead = createRedisStore({ ...settings, url: redis.url, proxyId: 'dead' });
    await dead.start(1_000);
    // Never renewed: its holder is gone.
    expect((await dead.lease('slot:default/chat/a', 1_200))?.scope).toBe('fleet');
    const begunAt = Date.now();
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(200);
    expect(Date.now() - begunAt).toBeGreaterThan(1_000);
    await dead.close();
  });

  it('goes on alone while Redis is away: one request at a time within each gateway', async () => {
    const redis = await startRedis(program.path);
    const a = counted('a', 10);
    await using stage = await openStage(
      { a: a.script },
      { ...firstAvailable(['a']), gateway: { redisURL: redis.url } },
    );
    await redis.stop();
    const asked = Array.from({ length: 10 }, (_, index) => ask(stage.chatURL, { body: chatRequest(`${index}`) }));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(a.most()).toBe(1);
  });
});
