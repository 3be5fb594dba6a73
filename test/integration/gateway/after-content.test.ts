// Once content has been passed on nothing is tried again: whatever breaks the answer is said inside it, in so many words.

import { describe, expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { ask, dataOf, official } from '../../support/client.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer, type Stop, stopAfter } from '../../support/scripts.ts';
import { soon } from '../../support/soon.ts';
import { openStage } from '../../support/stage.ts';
import type { Script, UpstreamExchange } from '../../support/upstream.ts';
import { encodeChunk } from '../../support/upstream-wire.ts';

const streamed = chatRequest('one', { stream: true });

/** Sends the beginning of a streamed answer, content included, and then does as it is told. */
function then(finish: (exchange: UpstreamExchange) => void | Promise<void>): Script {
  return async (exchange) => {
    let sent = 0;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const send = async (bytes: Uint8Array | string): Promise<void> => {
      if (sent++ < 4) await exchange.send(bytes);
      else resolve();
    };
    await Promise.race([chat('a', { gapMs: 1, words: 10 })({ ...exchange, send }), enough]);
    await finish(exchange);
  };
}

const upstreamError = { error: { message: 'secret words of the upstream', type: 'server_error', code: 'boom' } };

const breakages: Readonly<Record<string, readonly [Script, string, string]>> = {
  'is closed': [then((exchange) => exchange.end()), 'stream_truncated', 'Truncated'],
  'is reset': [then((exchange) => exchange.reset()), 'stream_truncated', 'Truncated'],
  stalls: [then((exchange) => exchange.closed), 'stream_timeout', 'Stalled'],
  'ends its chunks too early': [then((exchange) => exchange.send('0\r\n\r\n')), 'stream_truncated', 'Truncated'],
  'says [DONE] too early': [
    then((exchange) => exchange.send(Buffer.concat([encodeChunk('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')]))),
    'stream_truncated',
    'Truncated',
  ],
  'breaks its chunks': [then((exchange) => exchange.send('zz\r\nnonsense')), 'stream_truncated', 'Truncated'],
  'sends an error frame': [
    then((exchange) => exchange.send(encodeChunk(`data: ${JSON.stringify(upstreamError)}\n\n`))),
    'upstream_error',
    'ServerError',
  ],
  'sends an error event': [
    then((exchange) => exchange.send(encodeChunk(`event: error\ndata: ${JSON.stringify(upstreamError)}\n\n`))),
    'upstream_error',
    'ServerError',
  ],
  'sends nonsense three times': [
    then((exchange) => exchange.send(encodeChunk('data: {\n\ndata: {\n\ndata: {\n\n'))),
    'invalid_upstream_response',
    'InvalidResponse',
  ],
};

describe.each(Object.entries(breakages))('an upstream that %s after content', (_name, [script, code, reason]) => {
  it('ends the stream with an error and without [DONE], and is disabled', async () => {
    await using stage = await openStage({ a: script, b: chat('b') }, { rule: { timeouts: { idleSeconds: 0.3 } } });
    const answered = await ask(stage.chatURL, { body: streamed });
    expect([answered.status, answered.broken]).toEqual([200, false]);
    const data = dataOf(answered.text);
    expect(JSON.parse(data.at(-1) ?? '')).toMatchObject({ error: { code } });
    expect(answered.text).toMatch(/\n\n$/);
    expect(data).not.toContain('[DONE]');
    expect(answered.text).toContain('a~one~0');
    expect(answered.text).not.toContain('secret words');
    expect(stage.upstreams.b.requests).toHaveLength(0);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled', reason });
    await soon(async () => (await stage.gateway.state()).inFlight).toBe(0);
  });

  it.each(['v7', 'v6'] as const)('[11] makes the official client %s throw', async (version) => {
    await using stage = await openStage({ a: script }, { rule: { timeouts: { idleSeconds: 0.3 } } });
    const client = official(version, `${stage.gateway.url}/v1`);
    const stream = await client.chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: 'one' }],
      stream: true,
    });
    let seen = '';
    const read = async (): Promise<void> => {
      for await (const chunk of stream) seen += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code });
    expect(markedText('a', 'one', 10).startsWith(seen)).toBe(true);
    expect(seen).not.toBe('');
  });
});

describe('a stream of responses that is cut', () => {
  const stops = ['end', 'reset', 'stall'] as const;
  it.each(stops.flatMap((stop) => [[stop, 'OpenAI', 1900] as const, [stop, 'OpenAICompatible', 800] as const]))(
    'by %s ends with an error event that has its number, also where the upstream has no responses: %s',
    async (stop: Stop, type, bytes) => {
      await using stage = await openStage(
        { a: stopAfter(bytes, stop, openai('a')) },
        {
          rule: { timeouts: { idleSeconds: 0.3 } },
          route: { models: [{ name: 'responder', type: 'Exact' }] },
          provider: { type },
        },
      );
      const url = `${stage.gateway.url}/v1/responses`;
      const { text } = await ask(url, { body: { model: 'responder', input: 'x', stream: true } });
      const events = dataOf(text).map((data) => JSON.parse(data) as { type: string; sequence_number: number });
      expect(events.at(-1)).toMatchObject({ type: 'error', sequence_number: events.length - 1 });
      expect(text).toMatch(/event: error\ndata: [^\n]*\n\n$/);
      for (const version of ['v7', 'v6'] as const) {
        const client = official(version, `${stage.gateway.url}/v1`);
        const read = async (): Promise<void> => {
          const stream = await client.responses.create({ model: 'responder', input: 'x', stream: true });
          for await (const event of stream) if (event.type === 'error') throw Object.assign(new Error('told'), event);
        };
        await expect(read()).rejects.toBeDefined();
      }
    },
  );
});

it.each(['v7', 'v6'] as const)(
  'a completion of the old kind that is cut makes the official client %s throw',
  async (version) => {
    await using stage = await openStage(
      { a: stopAfter(450, 'end', openai('a')) },
      { route: { models: [{ name: 'completer', type: 'Exact' }] } },
    );
    const client = official(version, `${stage.gateway.url}/v1`);
    let seen = '';
    const read = async (): Promise<void> => {
      const stream = await client.completions.create({ model: 'completer', prompt: 'x', stream: true });
      for await (const chunk of stream) seen += chunk.choices[0]?.text ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'stream_truncated' });
    expect(seen).toMatch(/^once /);
  },
);

it('cuts the connection where an answer of no stream breaks after it was begun', async () => {
  const content = 'x'.repeat(10 * 1024 * 1024);
  const body = JSON.stringify({ choices: [{ index: 0, message: { content }, finish_reason: 'stop' }] });
  await using stage = await openStage({ a: stopAfter(9 * 1024 * 1024, 'end', answer(body)) });
  const answered = await ask(stage.chatURL, { body: chatRequest('one') });
  expect([answered.status, answered.broken]).toEqual([200, true]);
  expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled', reason: 'Truncated' });
});

it('cuts the connection where a relayed answer breaks', async () => {
  await using stage = await openStage({ a: stopAfter(300, 'reset', answer('y'.repeat(1000))) });
  const answered = await ask(`${stage.gateway.url}/chat/files/1`);
  expect([answered.status, answered.broken]).toEqual([200, true]);
});
