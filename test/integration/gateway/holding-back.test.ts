// A stream is held back until its first content, for as long as the route says; then it begins with nothing in it.

import { expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { ask, official, streamedContentOf } from '../../support/client.ts';
import { answer, stopAtOnce, streamHead } from '../../support/scripts.ts';
import { promptMs, soon } from '../../support/soon.ts';
import { openStage, type Stage } from '../../support/stage.ts';

const streamed = chatRequest('one', { stream: true });

/** Reads a stream and notes when its head came, and what came when. */
async function timed(stage: Stage<string>) {
  const beganAtMs = performance.now();
  const response = await fetch(stage.chatURL, { method: 'POST', body: JSON.stringify(streamed) });
  const headAfterMs = performance.now() - beganAtMs;
  let text = '';
  let contentAfterMs = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (contentAfterMs === 0 && text.includes('data:')) contentAfterMs = performance.now() - beganAtMs;
  }
  return { status: response.status, headers: response.headers, headAfterMs, contentAfterMs, text };
}

it('begins after holdSeconds with a keep-alive, and goes on with the first backend that has content', async () => {
  await using stage = await openStage(
    { slow: stopAtOnce('stall'), good: chat('good') },
    { failover: { holdSeconds: 0.2 }, rule: { timeouts: { firstContentSeconds: 0.6 } } },
  );
  const { status, headers, headAfterMs, contentAfterMs, text } = await timed(stage);
  expect(status).toBe(200);
  expect(headAfterMs).toBeGreaterThanOrEqual(195);
  expect(headAfterMs).toBeLessThan(500);
  expect(contentAfterMs).toBeGreaterThanOrEqual(590);
  expect(text.startsWith(': keep-alive\n\ndata: ')).toBe(true);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(headers.get('content-type')).toBe('text/event-stream');
  expect(headers.get('x-sluice-route')).toBe('default/chat');
  expect(headers.get('x-sluice-attempts')).toBe('1');
  expect(headers.get('x-sluice-backend')).toBeNull();
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}-1$/);
});

it('says inside the stream that everybody failed, without [DONE]', async () => {
  await using stage = await openStage(
    { slow: stopAtOnce('stall'), dud: answer('', { status: 500 }) },
    { failover: { holdSeconds: 0.15 }, rule: { timeouts: { firstContentSeconds: 0.4 } } },
  );
  const { status, text } = await timed(stage);
  expect(status).toBe(200);
  expect(text).toMatch(/^: keep-alive\n\ndata: \{"error":\{[^\n]*"code":"upstream_timeout"\}\}\n\n$/);
  for (const version of ['v7', 'v6'] as const) {
    stage.gateway.configure(stage.draft);
    await stage.gateway.switchBackend('default/chat/slow', 'enable');
    const client = official(version, `${stage.gateway.url}/v1`);
    const read = async (): Promise<void> => {
      const stream = await client.chat.completions.create({
        model: 'chat',
        messages: [{ role: 'user', content: version }],
        stream: true,
      });
      for await (const chunk of stream) expect.unreachable(JSON.stringify(chunk));
    };
    await expect(read()).rejects.toMatchObject({ code: 'upstream_timeout' });
  }
});

it('keeps its status for an error that comes in time', async () => {
  await using stage = await openStage({ dud: answer('', { status: 500 }) }, { failover: { holdSeconds: 1 } });
  const refused = await ask(stage.chatURL, { body: streamed });
  expect([refused.status, refused.headers['content-type']]).toEqual([502, 'application/json']);
});

it('waits without end where holdSeconds is 0', async () => {
  await using stage = await openStage(
    { slow: stopAtOnce('stall'), good: chat('good') },
    { failover: { holdSeconds: 0 }, rule: { timeouts: { firstContentSeconds: 0.5 } } },
  );
  const { headAfterMs, text } = await timed(stage);
  expect(headAfterMs).toBeGreaterThanOrEqual(490);
  expect(text).not.toContain('keep-alive');
});

it('does not begin an answer early that is no stream', async () => {
  await using stage = await openStage({ slow: chat('slow', { afterMs: 400 }) }, { failover: { holdSeconds: 0.1 } });
  const answered = await ask(stage.chatURL, { body: chatRequest('one') });
  expect(answered.headers['content-type']).toBe('application/json');
  expect(answered.headers['content-length']).toBe(String(answered.text.length));
});

it('passes on what was held when the content comes before the time', async () => {
  await using stage = await openStage({ a: chat('a', { firstAfterMs: 100 }) }, { failover: { holdSeconds: 1 } });
  const answered = await ask(stage.chatURL, { body: streamed });
  expect(streamedContentOf(answered)).toBe(markedText('a', 'one'));
  expect(answered.text).toMatch(/^data: [^\n]*"role":"assistant"/);
  expect(answered.headers['x-sluice-backend']).toBe('a');
});

it('shows nothing of a backend that began and then failed, even in a stream that has begun', async () => {
  await using stage = await openStage(
    {
      liar: async (exchange) => {
        await exchange.send(streamHead({ 'x-request-id': 'liar' }));
        await exchange.closed;
      },
      good: chat('good'),
    },
    { failover: { holdSeconds: 0.1 }, rule: { timeouts: { firstContentSeconds: 0.3 } } },
  );
  const { text, headers } = await timed(stage);
  expect(headers.get('x-upstream-request-id')).toBeNull();
  expect(text.match(/"role":"assistant"/g)).toHaveLength(1);
  expect(text).not.toContain('liar');
});

it('ends the search at once when the client leaves a stream that has begun', async () => {
  await using stage = await openStage(
    { slow: stopAtOnce('stall'), good: chat('good') },
    { failover: { holdSeconds: 0.1 } },
  );
  const controller = new AbortController();
  const response = await fetch(stage.chatURL, {
    method: 'POST',
    body: JSON.stringify(streamed),
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  controller.abort();
  await soon(() => stage.upstreams.slow.requests[0]?.closedAtMs, promptMs).toBeDefined();
  expect(stage.upstreams.good.requests).toHaveLength(0);
  expect(await stage.gateway.backend('default/chat/slow')).toMatchObject({ state: 'enabled' });
});
