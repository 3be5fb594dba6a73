// A backend that is slow to begin is joined by a second one, where the route says so: the first content wins, and the other
// request is closed at once, without blame.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, contentOf, streamedContentOf } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, stopAfter, stopAtOnce } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const hedged = { failover: { hedgeSeconds: 0.1 } };
const silent = stopAtOnce('stall');

/** Ways to be slow: without a head, and with one and the role, but no content. */
const slownesses: Readonly<Record<string, Script>> = {
  'says nothing': silent,
  'has begun without content': (exchange) => stopAfter(250, 'stall', chat('a'))(exchange),
};

describe.each(Object.entries(slownesses))('a backend that %s', (_name, slow) => {
  it.each([true, false])('is overtaken by the next one (stream: %s), and not blamed', async (stream) => {
    await using stage = await openStage({ a: slow, b: chat('b') }, hedged);
    const { a, b } = stage.upstreams;
    const answered = await ask(stage.chatURL, { body: chatRequest('one', { stream }) });
    const answeredAtMs = performance.now();
    expect(answered.status).toBe(200);
    expect(stream ? streamedContentOf(answered) : contentOf(answered)).toContain('b~one~0');
    expect(answered.headers['x-sluice-attempts']).toBe('2');
    expect(answered.headers['x-sluice-backend']).toBe('b');
    await eventually(() => a.requests[0]?.closedAtMs !== undefined);
    // The goal is 100 ms; the machine has others to serve.
    expect((a.requests[0]?.closedAtMs ?? Infinity) - answeredAtMs).toBeLessThan(300);
    expect([a.requests.length, b.requests.length]).toEqual([1, 1]);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', inFlight: 0 });
    const metrics = await stage.gateway.metrics();
    expect(metrics).toMatch(/sluice_attempts_total\{[^}]*backend="a",outcome="abandoned"\} 1/);
    expect(metrics).not.toMatch(/sluice_failures_total\{[^}]*\} [1-9]/);
  });
});

describe('a hedge', () => {
  it('is not made where content comes in time', async () => {
    await using stage = await openStage({ a: chat('a', { firstAfterMs: 20 }), b: chat('b') }, hedged);
    await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    await delay(150);
    expect(stage.upstreams.b.requests).toHaveLength(0);
  });

  it('is closed where the slow one comes first after all', async () => {
    await using stage = await openStage({ a: chat('a', { firstAfterMs: 200 }), b: silent }, hedged);
    const answered = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect(streamedContentOf(answered)).toContain('a~one~0');
    const { b } = stage.upstreams;
    await eventually(() => b.requests[0]?.closedAtMs !== undefined);
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'enabled', inFlight: 0 });
  });

  it('that fails leaves it to the slow one, and its own failure counts', async () => {
    await using stage = await openStage(
      { a: chat('a', { firstAfterMs: 300 }), b: answer('', { status: 500 }) },
      hedged,
    );
    const answered = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect(streamedContentOf(answered)).toContain('a~one~0');
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'disabled', reason: 'ServerError' });
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });

  it('does not save a slow backend from its own deadline', async () => {
    await using stage = await openStage(
      { a: silent, b: chat('b', { firstAfterMs: 400 }) },
      { ...hedged, rule: { timeouts: { firstContentSeconds: 0.25 } } },
    );
    await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled', reason: 'Timeout' });
  });

  it('of both a client that leaves takes with it', async () => {
    await using stage = await openStage({ a: silent, b: silent }, hedged);
    const { a, b } = stage.upstreams;
    const controller = new AbortController();
    const asking = ask(stage.chatURL, { body: chatRequest('one', { stream: true }), signal: controller.signal });
    asking.catch(() => undefined);
    await eventually(() => b.requests.length === 1);
    controller.abort();
    await eventually(() => a.requests[0]?.closedAtMs !== undefined && b.requests[0]?.closedAtMs !== undefined);
    await eventually(async () => (await stage.gateway.state()).inFlight === 0);
  });

  it('is made within the retry budget only', async () => {
    await using stage = await openStage(
      { a: chat('a', { firstAfterMs: 300 }), b: chat('b') },
      { failover: { hedgeSeconds: 0.05, retryBudgetPercent: 0 } },
    );
    const texts = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const answered = await ask(stage.chatURL, { body: chatRequest(`n${index}`, { stream: true }) });
        return streamedContentOf(answered);
      }),
    );
    // Three in ten seconds are always allowed; the others wait for the slow one.
    expect(texts.filter((text) => text.startsWith('b~'))).toHaveLength(3);
    expect(stage.upstreams.b.requests).toHaveLength(3);
    expect(stage.upstreams.a.requests).toHaveLength(10);
  });
});
