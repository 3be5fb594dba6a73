// Kept-alive connections that turn out to be dead cost nobody anything: the request goes out once more on a fresh one.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, contentOf } from '../../support/client.ts';
import { answer, byteByByte, stopAfter } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';

/** Sends requests at once, so that so many connections are opened and stay. */
async function warmUp(chatURL: string, connections: number): Promise<void> {
  const requests = Array.from({ length: connections }, (_, index) =>
    ask(chatURL, { body: chatRequest(`warm ${index}`) }),
  );
  await Promise.all(requests);
}

describe('an upstream that resets connections when they are used again', () => {
  it.each([1, 6])('gets each request once more, on a fresh connection, with %i of them kept', async (connections) => {
    await using stage = await openStage({ a: chat('a', { afterMs: 30 }), b: chat('b') });
    const { a, b } = stage.upstreams;
    await warmUp(stage.chatURL, connections);
    expect(a.connectionsTotal).toBe(connections);
    a.requestsPerConnection = 1;
    for (let time = 0; time < 10; time += 1) {
      const answered = await ask(stage.chatURL, { body: chatRequest(`stale ${time}`) });
      expect(contentOf(answered)).toContain(`a~stale ${time}~0`);
      expect(answered.headers['x-sluice-attempts']).toBe('1');
    }
    expect(a.staleResets).toBeGreaterThanOrEqual(5);
    // Server truth: nothing was answered twice, and nobody else was bothered.
    expect(a.requests.map(({ number }) => number)).toEqual(Array.from({ length: connections + 10 }, (_, at) => at + 1));
    expect(b.requests).toHaveLength(0);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });

  it('is disabled for it if the fresh connection breaks as well', async () => {
    await using stage = await openStage({ a: chat('a'), b: chat('b') });
    const { a } = stage.upstreams;
    await warmUp(stage.chatURL, 1);
    a.requestsPerConnection = 0;
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(answered.headers).toMatchObject({ 'x-sluice-backend': 'b', 'x-sluice-attempts': '2' });
    expect(a.staleResets).toBe(2);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled', reason: 'Connect' });
  });

  it('does not count the dead connection as an attempt in the metrics', async () => {
    await using stage = await openStage({ a: chat('a') });
    await warmUp(stage.chatURL, 1);
    stage.upstreams.a.requestsPerConnection = 1;
    await ask(stage.chatURL, { body: chatRequest('one') });
    expect((await stage.gateway.state()).backends[0]?.inFlight).toBe(0);
    expect(await stage.gateway.metrics()).not.toMatch(
      /sluice_attempts_total\{[^}]*(error|failure|Connect)[^}]*\} [1-9]/,
    );
  });
});

describe('a request is sent only once', () => {
  it.each(['end', 'reset'] as const)(
    'when a kept connection breaks with a first byte of an answer: %s',
    async (stop) => {
      await using stage = await openStage({ a: chat('a'), b: chat('b') });
      await warmUp(stage.chatURL, 1);
      stage.upstreams.a.script = stopAfter(1, stop, byteByByte(answer('x', { status: 500 })));
      const answered = await ask(stage.chatURL, { body: chatRequest('one') });
      expect(answered.headers['x-sluice-backend']).toBe('b');
      expect(stage.upstreams.a.requests).toHaveLength(2);
    },
  );

  it('when a fresh connection breaks before an answer', async () => {
    await using stage = await openStage({ a: (exchange) => exchange.reset(), b: chat('b') });
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(answered.headers).toMatchObject({ 'x-sluice-backend': 'b', 'x-sluice-attempts': '2' });
    expect(stage.upstreams.a.requests).toHaveLength(1);
  });
});

it('loses no request to an upstream that closes idle connections all the time', async () => {
  await using stage = await openStage({ a: chat('a'), b: chat('b') });
  const { a, b } = stage.upstreams;
  const closing = setInterval(() => a.closeIdleConnections(), 3);
  try {
    for (let time = 0; time < 300; time += 1) {
      const marker = `idle ${time}`;
      const answered = await ask(stage.chatURL, { body: chatRequest(marker) });
      expect(contentOf(answered)).toContain(`a~${marker}~0`);
      await delay(Math.random() * 6);
    }
  } finally {
    clearInterval(closing);
  }
  expect(b.requests).toHaveLength(0);
  expect(new Set(a.requests.map(({ json }) => JSON.stringify(json))).size).toBe(a.requests.length);
});
