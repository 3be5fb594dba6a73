import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { anthropicMessagesClientCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { createGeminiUpstreams } from '../../../../proxy/protocols/gemini/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { AnswerContext, ClientCodec } from '../../../../proxy/protocols/protocol.ts';
import { collect } from '../anthropic-messages/answer.ts';
import { clientOf as anthropicOf, ask as askAnthropic, versions } from '../anthropic-messages/sdk.ts';
import { framesOf } from '../fixture.ts';
import { context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import { bytesOf, decode, streams } from './fixture.ts';

const codec = createGeminiUpstreams()('gemini');
const vertex = createGeminiUpstreams()('vertex');
const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

function encode(parts: readonly StreamPart[], client: ClientCodec, options: Partial<AnswerContext> = {}): Buffer {
  const encoder = client.streamEncoder({ ...context, ...options });
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the decoder', () => {
  test.each(streams)('judges $name the same however it is cut', ({ bytes, empty, usage, finished, error }) => {
    for (const size of [bytes.length, 1, 13]) {
      const decoder = codec.streamDecoder({ fallbackId: 'f' });
      for (const frame of framesOf(bytes, size)) decoder.decode(frame);
      decoder.end();
      const { error: signal } = decoder;
      expect({ empty: decoder.empty, usage: decoder.usage, finished: decoder.finished, error: signal?.type }).toEqual({
        empty,
        usage,
        finished,
        error,
      });
      expect(decoder.nextSequence).toBe(0);
    }
  });

  test.each(streams)('[105] gives the same parts of $name however it is cut', ({ bytes }) => {
    const whole = decode(codec, bytes);
    const sizes = fc.integer({ min: 1, max: bytes.length });
    fc.assert(
      fc.property(sizes, (size) => {
        expect(decode(codec, bytes, size)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
    const lineFeeds = Buffer.from(bytes.toString().replaceAll('\r\n', '\n'));
    expect(decode(codec, lineFeeds)).toEqual(whole);
  });

  test.each(streams.filter(({ finished, error }) => finished && error === undefined))(
    'closes every block of $name and finishes once, at the end',
    ({ bytes, usage }) => expect(collect(decode(codec, bytes)).usage).toEqual(usage),
  );

  test.each(streams.filter(({ finished, error }) => !finished || error !== undefined))(
    '[104] does not finish $name',
    ({ bytes, error }) => {
      const parts = decode(codec, bytes);
      expect(parts.some(({ type }) => type === 'finish')).toBe(false);
      expect(parts.filter(({ type }) => type === 'error')).toHaveLength(error === undefined ? 0 : 1);
    },
  );

  test.each([
    ['text.sse', [{ type: 'text', text: 'Hello "wörld"\n😀!' }], 'stop'],
    [
      'thinking.sse',
      [
        { type: 'thinking', text: '**Weighing**\nSo.' },
        { type: 'text', text: '42.' },
      ],
      'stop',
    ],
    [
      'tools.sse',
      [
        { type: 'tool-call', id: 'call_mNEkaZ3fH-aB1MkP_0', tool: 'get_weather', input: '{"city":"Köln","days":2}' },
        { type: 'tool-call', id: 'call_mNEkaZ3fH-aB1MkP_1', tool: 'get_weather', input: '{"city":"Tōkyō"}' },
      ],
      'tool-calls',
    ],
    [
      'tools-then-stop.sse',
      [
        { type: 'thinking', text: 'Let me look.', signature: 'google-gemini:CsYBAePx/+8=' },
        { type: 'tool-call', id: 'call_mNEkaZ3fH-aB1MkP_0', tool: 'get_weather', input: '{"city":"Paris"}' },
        { type: 'tool-call', id: 'call_mNEkaZ3fH-aB1MkP_1', tool: 'get_time', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'tool-with-id.sse',
      [
        { type: 'text', text: 'I look it up.' },
        { type: 'thinking', text: '', signature: 'google-gemini:c2lnbmF0dXJl' },
        { type: 'tool-call', id: '9tu9hw0j', tool: 'find', input: '{"q":"a"}' },
      ],
      'tool-calls',
    ],
    ['signature-at-end.sse', [{ type: 'text', text: 'Yes' }], 'stop'],
    ['prompt-blocked.sse', [], 'content-filter'],
    ['safety-after-text.sse', [{ type: 'text', text: 'Well, ' }], 'content-filter'],
    ['max-tokens-in-thought.sse', [{ type: 'thinking', text: 'Hmm' }], 'length'],
    ['no-blank-line-at-end.sse', [{ type: 'text', text: 'One.' }], 'stop'],
    ['empty.sse', [], 'stop'],
    ['usage-after-finish.sse', [{ type: 'text', text: 'Hi' }], 'stop'],
  ])('[97] [99] [101] reads %s', (name, content, finish) => {
    expect(collect(decode(codec, bytesOf(name)))).toMatchObject({ content, finish });
    expect(collect(decode(codec, bytesOf(name))).content).toHaveLength(content.length);
  });

  test('says which answer it is, when it was made, and its input before its content', () => {
    const [start] = decode(vertex, bytesOf('vertex.sse'));
    expect(start).toEqual({ type: 'start', id: 'vx-1', model: 'gemini-2.5-pro', createdAt: 1_793_610_764 });
    expect(decode(codec, bytesOf('text.sse'))[0]).toMatchObject({ usage: { inputTokens: 7 } });
    const nameless = Buffer.from(
      'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\n\n',
    );
    expect(decode(codec, nameless)[0]).toMatchObject({ id: 'req-7', model: '' });
  });

  test('an error that is a list of one is what the classifier reads', () => {
    const decoder = codec.streamDecoder({ fallbackId: 'f', headers: { a: 'b' } });
    const [frame] = framesOf(bytesOf('error-list.sse'));
    expect(decoder.decode(frame!).verdict).toBe('error');
    expect(decoder.error).toMatchObject({ type: 'frame', headers: { a: 'b' } });
    expect(decoder.error?.type === 'frame' && JSON.parse(decoder.error.data)).toMatchObject({ error: { code: 429 } });
  });
});

describe.each(['v6', 'v7'] as const)("a client of OpenAI's %s", (version) => {
  function stream(name: string, options: Partial<AnswerContext> = {}) {
    const body = encode(decode(codec, bytesOf(name)), openaiChatClientCodec, options);
    return clientOf(version, { body }).client.chat.completions.stream({ ...ask, stream: true });
  }

  test.each([
    ['text.sse', 'stop'],
    ['tools.sse', 'tool_calls'],
    ['tools-then-stop.sse', 'tool_calls'],
    ['prompt-blocked.sse', 'content_filter'],
    ['max-tokens-in-thought.sse', 'length'],
    ['safety-after-text.sse', 'content_filter'],
  ])('[99] [100] [101] takes %s, which ends with %s', async (name, finish) => {
    const { choices } = await stream(name).finalChatCompletion();
    expect(choices).toHaveLength(1);
    expect(choices[0]).toMatchObject({ finish_reason: finish, message: { role: 'assistant' } });
  });

  test('[97] has whole calls with ids of their own', async () => {
    const { choices } = await stream('tools.sse').finalChatCompletion();
    const calls = choices[0]?.message.tool_calls ?? [];
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(calls.map((call) => call.type === 'function' && (JSON.parse(call.function.arguments) as unknown))).toEqual([
      { city: 'Köln', days: 2 },
      { city: 'Tōkyō' },
    ]);
  });

  test('[102] [103] has usage once, the last that was told', async () => {
    const body = encode(decode(codec, bytesOf('thinking.sse')), openaiChatClientCodec);
    const chunks = await toArray(
      await clientOf(version, { body }).client.chat.completions.create({ ...ask, stream: true }),
    );
    expect(chunks.flatMap(({ usage }) => usage ?? [])).toEqual([
      {
        prompt_tokens: 10,
        completion_tokens: 62,
        total_tokens: 72,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 60 },
      },
    ]);
    const thought = chunks.map(
      ({ choices }) => (choices[0]?.delta as { reasoning_content?: string })?.reasoning_content,
    );
    expect(thought.join('')).toBe('**Weighing**\nSo.');
  });

  test('has log probabilities where it looks for them', async () => {
    const body = encode(decode(vertex, bytesOf('vertex.sse')), openaiChatClientCodec);
    const chunks = await toArray(
      await clientOf(version, { body }).client.chat.completions.create({ ...ask, stream: true }),
    );
    expect(chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? [])).toMatchObject([
      { token: 'jour', logprob: -0.1, top_logprobs: [{ token: 'jour' }, { token: 'ne', logprob: -3 }] },
    ]);
  });
});

describe.each(versions)("a client of Anthropic's %s", (version) => {
  async function message(name: string) {
    const body = encode(decode(codec, bytesOf(name)), anthropicMessagesClientCodec);
    return anthropicOf(version, { body }).client.messages.stream(askAnthropic).finalMessage();
  }

  test('[181] has its calls as tool uses, and their signature with the thinking before them', async () => {
    await expect(message('tools-then-stop.sse')).resolves.toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'Let me look.', signature: 'google-gemini:CsYBAePx/+8=' },
        { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
        { type: 'tool_use', name: 'get_time', input: {} },
      ],
    });
  });

  test('[182] has a blocked prompt as a refusal', async () => {
    await expect(message('prompt-blocked.sse')).resolves.toMatchObject({ stop_reason: 'refusal', content: [] });
  });
});
