// A client that leaves takes its upstream request with it, at once, and leaves nothing behind.

import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, stopAfter, stopAtOnce } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const endless: Script = chat('a', { words: 10_000, gapMs: 10 });

const phases: Readonly<Record<string, readonly [Script, boolean, (stage: Stage<'a' | 'b'>) => boolean]>> = {
  'before the head': [stopAtOnce('stall'), true, ({ upstreams }) => upstreams.a.requests.length === 1],
  'before the head of no stream': [stopAtOnce('stall'), false, ({ upstreams }) => upstreams.a.requests.length === 1],
  'before the first content': [
    (exchange) => stopAfter(250, 'stall', chat('a'))(exchange),
    true,
    ({ upstreams }) => upstreams.a.requests.length === 1,
  ],
  'inside a stream': [endless, true, ({ upstreams }) => upstreams.a.requests.length === 1],
  'inside a body': [
    (exchange) => stopAfter(250, 'stall', chat('a'))(exchange),
    false,
    ({ upstreams }) => upstreams.a.requests.length === 1,
  ],
};

describe.each(Object.entries(phases))('a client that leaves %s', (_phase, [script, streamed, isThere]) => {
  it('[12] is followed by its upstream request at once, and nobody is blamed', async () => {
    await using stage = await openStage({ a: chat('a'), b: chat('b') });
    const { a, b } = stage.upstreams;
    // What code costs when it runs for the first time is not the point.
    await ask(stage.chatURL, { body: chatRequest('warm') });
    a.forget();
    a.script = script;
    const controller = new AbortController();
    const asking = ask(stage.chatURL, { body: chatRequest('one', { stream: streamed }), signal: controller.signal });
    asking.catch(() => undefined);
    await eventually(() => isThere(stage));
    await delay(60);
    const leftAtMs = performance.now();
    controller.abort();
    await eventually(() => a.requests[0]?.closedAtMs !== undefined);
    expect((a.requests[0]?.closedAtMs ?? Infinity) - leftAtMs).toBeLessThan(300);
    expect(a.connections).toBe(0);
    await eventually(async () => (await stage.gateway.state()).inFlight === 0);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', inFlight: 0, models: [] });
    expect(b.requests).toHaveLength(0);
    expect(await stage.gateway.metrics()).toMatch(/sluice_requests_total\{[^}]*outcome="client-left"\} 1/);
  });
});

it('ends the wait before a retry when the client leaves', async () => {
  await using stage = await openStage(
    { a: answer('', { status: 502 }), b: chat('b') },
    { failover: { retry: { attempts: 3, baseMillis: 500, maxMillis: 5000, jitterPercent: 0 } } },
  );
  const controller = new AbortController();
  const asking = ask(stage.chatURL, { body: chatRequest('one'), signal: controller.signal });
  asking.catch(() => undefined);
  await eventually(() => stage.upstreams.a.requests.length === 1);
  await delay(50);
  controller.abort();
  await eventually(async () => (await stage.gateway.state()).inFlight === 0, 300);
  await delay(600);
  expect([stage.upstreams.a.requests.length, stage.upstreams.b.requests.length]).toEqual([1, 0]);
});

it('[13] stops reading an upstream whose client takes nothing, and closes it when that client leaves', async () => {
  await using stage = await openStage({ a: chat('a', { words: 200_000 }) });
  const { a } = stage.upstreams;
  const body = JSON.stringify(chatRequest('one', { stream: true }));
  const outgoing = httpRequest(stage.chatURL, { method: 'POST', headers: { 'content-type': 'application/json' } });
  outgoing.on('error', () => undefined);
  const answered = new Promise<void>((resolve) => outgoing.on('response', (response) => (response.pause(), resolve())));
  outgoing.end(body);
  await answered;
  await delay(500);
  // Some 35 MB: had the gateway read on, the script would have got rid of them.
  expect(a.requests[0]?.answeredAtMs).toBeUndefined();
  outgoing.destroy();
  await eventually(() => a.requests[0]?.closedAtMs !== undefined, 1000);
  expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
});

it('asks no upstream for a client that left while its body was on its way', async () => {
  await using stage = await openStage({ a: chat('a') });
  const outgoing = httpRequest(stage.chatURL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': '1000' },
  });
  outgoing.on('error', () => undefined);
  outgoing.write('{"model":"chat",');
  await delay(50);
  outgoing.destroy();
  await delay(100);
  expect(stage.upstreams.a.requests).toHaveLength(0);
  expect((await stage.gateway.state()).inFlight).toBe(0);
});

it('lets a client leave right after the last byte without a mark on anybody', async () => {
  await using stage = await openStage({ a: chat('a') });
  for (let time = 0; time < 20; time += 1) {
    const controller = new AbortController();
    const response = await fetch(stage.chatURL, {
      method: 'POST',
      body: JSON.stringify(chatRequest(`end ${time}`, { stream: true })),
      signal: controller.signal,
    });
    const reader = response.body?.getReader();
    let text = '';
    while (!text.includes('[DONE]')) {
      const part = await reader?.read();
      if (part?.done !== false) break;
      text += Buffer.from(part.value).toString();
    }
    controller.abort();
  }
  await eventually(async () => (await stage.gateway.state()).inFlight === 0);
  expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', inFlight: 0 });
});
