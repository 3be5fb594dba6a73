// How often and how long a gateway tries before it gives up, and what it says then.

import { describe, expect, it } from 'vitest';
import { chat, chatRequest, markerOf } from '../../support/chat.ts';
import { ask, errorOf, type PlainAnswer } from '../../support/client.ts';
import { backend } from '../../support/config.ts';
import { answer, inTurn, stopAtOnce } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';

const error = { error: { message: 'broken' } };
const broken = answer(error, { status: 502 });
const retry = { attempts: 2, baseMillis: 40, maxMillis: 300, jitterPercent: 0 };

let asked = 0;

function askChat(stage: Stage<string>, path = ''): Promise<PlainAnswer> {
  return ask(`${stage.gateway.url}/chat${path}`, { body: chatRequest(`attempt ${asked++}`) });
}

function attemptsAt(stage: Stage<string>): Record<string, number> {
  return Object.fromEntries(Object.entries(stage.upstreams).map(([name, { requests }]) => [name, requests.length]));
}

describe('maxAttempts', () => {
  it.each([1, 2, 3, 4])('of %i visits so many backends', async (maxAttempts) => {
    await using stage = await openStage(
      { a: broken, b: broken, c: broken, d: chat('d') },
      { failover: { maxAttempts } },
    );
    const answered = await askChat(stage);
    expect(answered.headers['x-sluice-attempts']).toBe(String(maxAttempts));
    expect(answered.status).toBe(maxAttempts === 4 ? 200 : 502);
    expect(Object.values(attemptsAt(stage)).filter((count) => count === 1)).toHaveLength(maxAttempts);
  });

  it('visits no backend twice', async () => {
    await using stage = await openStage({ a: broken, b: broken }, { failover: { maxAttempts: 10 } });
    expect((await askChat(stage)).headers['x-sluice-attempts']).toBe('2');
    expect(attemptsAt(stage)).toEqual({ a: 1, b: 1 });
  });
});

describe('when all backends are disabled', () => {
  it('the one that returns first is tried, and one that works is enabled for all', async () => {
    await using stage = await openStage({ a: broken, b: broken });
    await askChat(stage);
    expect((await stage.gateway.state()).backends.map(({ state }) => state)).toEqual(['disabled', 'disabled']);
    stage.upstreams.b.script = chat('b');
    const answered = await askChat(stage);
    expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'b']);
    expect(attemptsAt(stage)).toEqual({ a: 2, b: 2 });
    expect((await stage.gateway.state()).backends.map(({ state }) => state)).toEqual(['disabled', 'enabled']);
  });

  it('a route that says Fail answers 503 at once, with the time of the soonest return', async () => {
    await using stage = await openStage(
      { a: answer(error, { status: 503, headers: { 'retry-after': '20' } }), b: broken },
      { failover: { whenAllDisabled: 'Fail', disable: { failures: 1, windowSeconds: 60, seconds: 40 } } },
    );
    await askChat(stage);
    for (let time = 0; time < 5; time += 1) {
      const refused = await askChat(stage);
      expect([refused.status, errorOf(refused).code]).toEqual([503, 'all_backends_disabled']);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(30);
      expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(40);
      expect(refused.headers['x-should-retry']).toBe('true');
    }
    expect(attemptsAt(stage)).toEqual({ a: 1, b: 1 });
  });

  it('asks no client to wait longer than a minute', async () => {
    await using stage = await openStage({ a: broken }, { failover: { whenAllDisabled: 'Fail' } });
    await askChat(stage);
    expect((await askChat(stage)).headers['retry-after']).toBe('60');
  });

  it('spends no more than the budget on them: a fifth of the requests, and three', async () => {
    await using stage = await openStage({ a: broken });
    for (let time = 0; time < 40; time += 1) expect((await askChat(stage)).status).toBeGreaterThanOrEqual(502);
    const { a = 0 } = attemptsAt(stage);
    expect(a).toBeGreaterThanOrEqual(4);
    expect(a).toBeLessThanOrEqual(1 + 8);
  });

  it('a backend that a person has switched off is not tried', async () => {
    await using stage = await openStage({ a: chat('a') });
    await stage.gateway.switchBackend('default/chat/a', 'disable');
    const refused = await askChat(stage);
    expect([refused.status, errorOf(refused).code]).toEqual([503, 'all_backends_disabled']);
    expect(attemptsAt(stage)).toEqual({ a: 0 });
  });
});

describe('a retry on the same backend', () => {
  it('is not made unless the route says so', async () => {
    await using stage = await openStage({ a: inTurn(broken, chat('a')), b: chat('b') });
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(attemptsAt(stage)).toEqual({ a: 1, b: 1 });
  });

  it.each([
    ['ServerError', broken],
    ['Overloaded', answer(error, { status: 503 })],
    ['RateLimit', answer(error, { status: 429 })],
    ['a reset', stopAtOnce('reset')],
  ])('comes before failover for %s, after a growing wait', async (_class, script) => {
    await using stage = await openStage(
      { a: inTurn(script, script, chat('a')), b: chat('b') },
      { failover: { retry } },
    );
    const beganAtMs = performance.now();
    const answered = await askChat(stage);
    expect(answered.headers).toMatchObject({ 'x-sluice-backend': 'a', 'x-sluice-attempts': '3' });
    expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(40 + 80 - 5);
    expect(attemptsAt(stage)).toEqual({ a: 3, b: 0 });
  });

  it('goes on elsewhere once the retries are spent', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: { retry, maxAttempts: 5 } });
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(attemptsAt(stage)).toEqual({ a: 3, b: 1 });
  });

  it('counts for maxAttempts', async () => {
    await using stage = await openStage({ a: broken, b: chat('b') }, { failover: { retry, maxAttempts: 3 } });
    expect((await askChat(stage)).status).toBe(502);
    expect(attemptsAt(stage)).toEqual({ a: 3, b: 0 });
  });

  it('is left out where the upstream asks to wait longer than the route allows', async () => {
    const limited = answer(error, { status: 503, headers: { 'retry-after': '2' } });
    await using stage = await openStage({ a: limited, b: chat('b') }, { failover: { retry } });
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(attemptsAt(stage)).toEqual({ a: 1, b: 1 });
  });

  it('is never made after a timeout, a bad answer or a refused connection', async () => {
    await using stage = await openStage(
      { silent: stopAtOnce('stall'), odd: answer('<html>'), gone: chat('gone'), b: chat('b') },
      { failover: { retry, maxAttempts: 5 }, rule: { timeouts: { responseSeconds: 0.2 } } },
    );
    await stage.upstreams.gone.refuse();
    expect((await askChat(stage)).headers['x-sluice-attempts']).toBe('4');
    expect(attemptsAt(stage)).toEqual({ silent: 1, odd: 1, gone: 0, b: 1 });
  });

  it('stays within the budget of the route', async () => {
    await using stage = await openStage(
      { a: broken, b: chat('b') },
      {
        failover: {
          retry: { ...retry, baseMillis: 1 },
          maxAttempts: 5,
          disable: { failures: 1, windowSeconds: 60, seconds: 0 },
        },
      },
    );
    for (let time = 0; time < 30; time += 1) expect((await askChat(stage)).status).toBe(200);
    const { a = 0 } = attemptsAt(stage);
    expect(a).toBeGreaterThan(30);
    expect(a).toBeLessThanOrEqual(30 + 6);
  });
});

describe('what the client is told when nothing is left', () => {
  it.each([
    ['all limited', [429, 429], 429, 'rate_limit_exceeded'],
    ['all without the model', [404, 404], 404, 'model_not_found'],
    ['one overloaded', [500, 503], 503, 'upstream_unavailable'],
    ['all overloaded', [503, 503], 503, 'upstream_overloaded'],
    ['limited and broken', [429, 500], 502, 'upstream_error'],
    ['refused credentials', [401, 401], 502, 'upstream_auth_failed'],
    ['one without the model', [404, 500], 502, 'upstream_error'],
  ])('for %s: %j', async (_name, statuses, status, code) => {
    const [first = 0, second = 0] = statuses;
    await using stage = await openStage({
      a: answer(error, { status: first }),
      b: answer(error, { status: second }),
    });
    const refused = await askChat(stage);
    expect([refused.status, errorOf(refused).code]).toEqual([status, code]);
  });

  it('for one that is down and one that is slow', async () => {
    await using stage = await openStage(
      { gone: chat('a'), slow: stopAtOnce('stall') },
      { rule: { timeouts: { responseSeconds: 0.2 } } },
    );
    await stage.upstreams.gone.refuse();
    expect(errorOf(await askChat(stage)).code).toBe('upstream_unavailable');
  });
});

it('asks the next backend only for what the route lists in failover.on', async () => {
  await using stage = await openStage({ a: broken, b: chat('b') }, { failover: { on: ['Connect'] } });
  expect((await askChat(stage)).status).toBe(502);
  // Counting is another matter: a is disabled, and b answers from now on.
  expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
  expect(attemptsAt(stage)).toEqual({ a: 1, b: 1 });
});

it('sends each attempt its own model, and every attempt the whole body', async () => {
  const big = 'x'.repeat(300_000);
  await using stage = await openStage(
    { a: broken, b: chat('b') },
    { rule: { backends: [backend('a', { model: 'm-a' }), backend('b', { model: 'm-b', priority: 1 })] } },
  );
  const answered = await ask(stage.chatURL, { body: chatRequest('one', { pad: big }) });
  expect(answered.status).toBe(200);
  const received = Object.values(stage.upstreams).map(({ requests: [request] }) => request);
  expect(received.map((request) => request?.json['model'])).toEqual(['m-a', 'm-b']);
  expect(received.map((request) => request && markerOf(request))).toEqual(['one', 'one']);
  expect(received.map((request) => request?.json['pad'] === big)).toEqual([true, true]);
});
