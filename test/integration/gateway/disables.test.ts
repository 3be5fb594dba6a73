// A disabled backend gets nothing until its time is over, then one request as a trial, and all of them if that goes well.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, type PlainAnswer } from '../../support/client.ts';
import { backend, failover, route, rule } from '../../support/config.ts';
import { answer, stopAtOnce } from '../../support/scripts.ts';
import { promptMs, soon } from '../../support/soon.ts';
import { openStage, type Stage } from '../../support/stage.ts';

const broken = answer('', { status: 502 });
const brief = { disable: { failures: 1, windowSeconds: 60, seconds: 0.5 } };

let asked = 0;

function askChat(stage: Stage<string>, members: object = {}): Promise<PlainAnswer> {
  return ask(stage.chatURL, { body: { ...chatRequest(`disable ${asked++}`), ...members } });
}

describe('a backend that is disabled', () => {
  it('gets no request until its time is over, however many there are', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: brief });
    await askChat(stage);
    const { a } = stage.upstreams;
    const disabledAtMs = a.requests[0]?.receivedAtMs ?? 0;
    a.script = chat('a');
    while (a.requests.length === 1 && performance.now() - disabledAtMs < 3000) {
      expect((await askChat(stage)).status).toBe(200);
      await delay(5);
    }
    const returnedAfterMs = (a.requests[1]?.receivedAtMs ?? 0) - disabledAtMs;
    expect(returnedAfterMs).toBeGreaterThanOrEqual(499);
    expect(returnedAfterMs).toBeLessThan(1000);
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('a');
  });

  it('says in the state why, and until when', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: brief });
    const before = Date.now();
    await askChat(stage);
    const { state, reason, hard, until } = await stage.gateway.backend('default/chat/a');
    expect({ state, reason, hard }).toEqual({ state: 'disabled', reason: 'ServerError', hard: false });
    expect(Date.parse(until ?? '')).toBeGreaterThanOrEqual(before + 500);
    expect(Date.parse(until ?? '')).toBeLessThanOrEqual(Date.now() + 500);
  });

  it('is disabled for the longest of what was said of it, and never for less', async () => {
    const rests = answer({ error: { message: 'busy' } }, { status: 503, headers: { 'retry-after': '120' } });
    await using stage = await openStage({ a: rests, b: chat('b') }, { failover: brief });
    await askChat(stage);
    await delay(600);
    // As a whole it would be back; the model that it was asked for rests as long as it said.
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect((await stage.gateway.backend('default/chat/a')).models).toMatchObject([
      { model: 'chat', reason: 'Overloaded' },
    ]);
    stage.upstreams.a.script = chat('a');
    expect((await askChat(stage, { model: 'another' })).headers['x-sluice-backend']).toBe('a');
  });

  it('is not enabled by an answer to a request that began before', async () => {
    await using stage = await openStage({ a: chat('a', { afterMs: 200 }), b: chat('b') }, { failover: brief });
    const slow = askChat(stage);
    await delay(50);
    stage.upstreams.a.script = broken;
    await askChat(stage);
    expect((await slow).headers['x-sluice-backend']).toBe('a');
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled' });
  });

  it('is disabled in every rule of its route, and in no other route', async () => {
    await using stage = await openStage(
      { a: broken, b: chat('b') },
      {
        draft: (usual) => {
          const backends = [backend('a'), backend('b', { priority: 1 })];
          const special = { headers: [{ name: 'x-special', type: 'Present' as const }] };
          return {
            ...usual,
            routes: [
              route('chat', [
                rule(backends, { name: 'special', matches: [special], failover: failover(brief) }),
                rule(backends, { failover: failover(brief) }),
              ]),
              route('other', [rule(backends)]),
            ],
          };
        },
      },
    );
    await askChat(stage);
    stage.upstreams.a.script = chat('a');
    const special = await ask(stage.chatURL, { body: {}, headers: { 'x-special': '1' } });
    expect(special.headers['x-sluice-backend']).toBe('b');
    const other = await ask(`${stage.gateway.url}/other`, { body: {} });
    expect(other.headers['x-sluice-backend']).toBe('a');
  });
});

describe('a backend whose time is over', () => {
  it('gets one request as a trial while others go elsewhere', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: brief });
    await askChat(stage);
    await delay(550);
    const { a } = stage.upstreams;
    a.script = chat('a', { afterMs: 300 });
    const all = await Promise.all(Array.from({ length: 20 }, () => askChat(stage)));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    const [, trial, ...later] = a.requests;
    // A slow machine may send some of them only after the trial has gone well.
    expect(later.filter(({ receivedAtMs }) => receivedAtMs < (trial?.answeredAtMs ?? 0))).toEqual([]);
    expect(stage.upstreams.b.requests.length).toBeGreaterThan(1);
    a.script = chat('a');
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('a');
  });

  it('is disabled again by a trial that fails, whatever the count', async () => {
    const disable = { failures: 3, windowSeconds: 60, seconds: 0.3 };
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: { disable } });
    for (let time = 0; time < 3; time += 1) await askChat(stage);
    const { a } = stage.upstreams;
    expect(a.requests).toHaveLength(3);
    await delay(350);
    for (let time = 0; time < 5; time += 1) expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(a.requests).toHaveLength(4);
  });

  it('shows its trial in the state', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: brief });
    await askChat(stage);
    await delay(550);
    stage.upstreams.a.script = chat('a', { afterMs: 300 });
    const trial = askChat(stage);
    await delay(100);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'trial', inFlight: 1 });
    await trial;
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', inFlight: 0 });
  });

  it('is tried by the next request when the client of the trial leaves', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: brief });
    await askChat(stage);
    await delay(550);
    const { a } = stage.upstreams;
    a.script = stopAtOnce('stall');
    const controller = new AbortController();
    const left = ask(stage.chatURL, { body: chatRequest('leaves'), signal: controller.signal });
    await soon(() => a.requests.length).toBe(2);
    controller.abort();
    await expect(left).rejects.toThrow();
    await soon(() => a.requests[1]?.closedAtMs, promptMs).toBeDefined();
    a.script = chat('a');
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('a');
  });

  it('waits longer each time where the route lets it grow', async () => {
    const disable = { failures: 1, windowSeconds: 60, seconds: 0.2, maxSeconds: 0.5 };
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: { disable } });
    const { a } = stage.upstreams;
    const waits: number[] = [];
    for (let time = 1; time <= 4; time += 1) {
      const beganAtMs = performance.now();
      while (a.requests.length < time && performance.now() - beganAtMs < 2000) {
        await askChat(stage);
        await delay(5);
      }
      waits.push((a.requests[time - 1]?.receivedAtMs ?? 0) - (a.requests[time - 2]?.receivedAtMs ?? 0));
    }
    const [, first = 0, second = 0, third = 0] = waits;
    expect(first).toBeGreaterThanOrEqual(199);
    expect(second).toBeGreaterThanOrEqual(399);
    expect(third).toBeGreaterThanOrEqual(499);
    expect(third).toBeLessThan(790);
  });
});

it('sends a backend no more than what was under way when it failed', async () => {
  await using stage = await openStage(
    { a: answer('', { status: 502, afterMs: 100 }), b: chat('b') },
    { rule: { backends: [backend('a'), backend('b')] } },
  );
  const { a } = stage.upstreams;
  const all = await Promise.all(Array.from({ length: 20 }, () => askChat(stage)));
  expect(all.every(({ status }) => status === 200)).toBe(true);
  const underWay = a.requests.length;
  const firstFailedAtMs = Math.min(...a.requests.map(({ answeredAtMs }) => answeredAtMs ?? Infinity));
  // Some may have been on their way to the upstream when its first failure was on its way back.
  expect(a.requests.filter(({ receivedAtMs }) => receivedAtMs > firstFailedAtMs + 50)).toEqual([]);
  for (let time = 0; time < 20; time += 1) await askChat(stage);
  expect(a.requests).toHaveLength(underWay);
});
