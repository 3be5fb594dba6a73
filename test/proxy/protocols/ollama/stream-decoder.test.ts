import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { ollamaChatUpstreamCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { collect, context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import { bytesOf, linesOf, passThroughs, streams } from './fixture.ts';

const chatStreams = streams.filter(({ protocol }) => protocol === 'ollama-chat');

function decode(bytes: Buffer, size = bytes.length): readonly StreamPart[] {
  const decoder = ollamaChatUpstreamCodec.streamDecoder({ fallbackId: 'req-7' });
  return [...linesOf(bytes, size).flatMap((line) => decoder.decode(line).parts), ...decoder.end()];
}

describe('the decoder', () => {
  test.each(chatStreams)('judges $name as the tap does, however it is cut', ({ bytes }) => {
    for (const size of [bytes.length, 1, 13]) {
      const tap = passThroughs['ollama-chat'].tap({ hideUsage: true });
      const decoder = ollamaChatUpstreamCodec.streamDecoder({ fallbackId: 'f' });
      for (const line of linesOf(bytes, size)) {
        expect(decoder.decode(line).verdict).toBe(tap.frame(line));
        expect(decoder.usage).toEqual(tap.usage);
        expect(decoder.finished).toBe(tap.finished);
        expect(decoder.done).toBe(tap.done);
        expect(decoder.empty).toBe(tap.empty);
        expect(decoder.error).toEqual(tap.error);
      }
      expect(decoder.end()).toEqual([]);
      expect(decoder.nextSequence).toBe(0);
    }
  });

  test.each(chatStreams)('gives the same parts of $name however it is cut', ({ bytes }) => {
    const whole = decode(bytes);
    for (const size of [1, 5, 64]) expect(decode(bytes, size)).toEqual(whole);
  });

  test.each(chatStreams.filter(({ finished }) => finished))(
    'closes every block of $name and finishes once, at the end',
    ({ bytes, usage }) => {
      const parts = decode(bytes);
      expect(parts[0]).toMatchObject({ type: 'start', id: 'req-7' });
      expect(parts.filter(({ type }) => type === 'start' || type === 'finish')).toHaveLength(2);
      expect(parts.at(-1)?.type).toBe('finish');
      expect(collect(parts).closed).toBe(true);
      expect(collect(parts).usage).toEqual(usage);
    },
  );

  test.each(chatStreams.filter(({ finished }) => !finished))('[132] does not finish $name', ({ bytes, error }) => {
    const parts = decode(bytes);
    expect(parts.some(({ type }) => type === 'finish')).toBe(false);
    expect(parts.filter(({ type }) => type === 'error')).toHaveLength(error === undefined ? 0 : 1);
  });

  test.each([
    ['chat-text.ndjson', [{ type: 'text', text: 'The sky "is"\nblüe 😀' }], 'stop'],
    ['chat-length.ndjson', [{ type: 'text', text: 'Once' }], 'length'],
    [
      'chat-thinking.ndjson',
      [
        { type: 'thinking', text: 'Let me see. So:' },
        { type: 'text', text: '42.' },
      ],
      'stop',
    ],
    [
      'chat-tools.ndjson',
      [
        { type: 'tool-call', id: 'call_req-7_0', tool: 'get_weather', input: '{"city":"Tokyo","days":2}' },
        { type: 'tool-call', id: 'call_req-7_1', tool: 'get_weather', input: '{"city":"Köln"}' },
      ],
      'tool-calls',
    ],
    [
      'chat-tools-with-ids.ndjson',
      [
        { type: 'thinking', text: 'Two calls.' },
        { type: 'text', text: 'I look.' },
        { type: 'tool-call', id: 'call_r8o3v6pq', tool: 'now', input: '{}' },
        { type: 'tool-call', id: 'call_a1b2c3d4', tool: 'add', input: '{"b":[1,{"x":null}],"a":1.5}' },
      ],
      'tool-calls',
    ],
    ['chat-empty.ndjson', [], 'stop'],
    ['chat-load.ndjson', [], 'other'],
    ['chat-odd-lines.ndjson', [{ type: 'text', text: 'ab' }], 'stop'],
  ])('[129] [131] [134] reads %s', (name, content, finish) => {
    expect(collect(decode(bytesOf(name)))).toMatchObject({ content, finish });
  });

  test('[134] splits a line with thinking and text', () => {
    const parts = decode(bytesOf('chat-thinking.ndjson'));
    expect(parts.slice(4, 9)).toEqual([
      { type: 'delta', index: 0, text: ' So:' },
      { type: 'block-end', index: 0 },
      { type: 'block-start', index: 1, block: { type: 'text' } },
      { type: 'delta', index: 1, text: '42' },
      { type: 'delta', index: 1, text: '.' },
    ]);
  });

  test('takes the model and the time from the first line', () => {
    expect(decode(bytesOf('chat-text.ndjson'))[0]).toEqual({
      type: 'start',
      id: 'req-7',
      model: 'llama3.2',
      createdAt: 1_691_164_339,
    });
  });

  test('[131] an answer that was cut stays one, whatever was called', () => {
    const bytes = bytesOf('chat-tools.ndjson').toString().replace('"done_reason":"stop"', '"done_reason":"length"');
    expect(decode(Buffer.from(bytes)).at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
  });

  test('[133] counts that are left out are zero', () => {
    expect(decode(bytesOf('chat-counts-missing.ndjson')).at(-1)).toMatchObject({
      usage: { inputTokens: 0, outputTokens: 0 },
    });
  });

  test.each([
    ['no name', { function: { arguments: {} } }],
    ['no function', {}],
    ['arguments that are cut', { function: { name: 'f', arguments: '{"a"' } }],
  ])('a call of a tool with %s makes the answer invalid', (_, call) => {
    const decoder = ollamaChatUpstreamCodec.streamDecoder({ fallbackId: 'f' });
    const line = Buffer.from(`${JSON.stringify({ message: { content: 'a', tool_calls: [call] }, done: true })}\n`);
    const { verdict, parts } = decoder.decode(line);
    expect(verdict).toBe('error');
    expect(parts.at(-1)).toMatchObject({ type: 'error', signal: { type: 'invalid' } });
    expect(parts.some(({ type }) => type === 'finish')).toBe(false);
    expect(decoder.error?.type).toBe('invalid');
    expect(decoder.decode(line)).toEqual({ verdict: 'hidden', parts: [] });
  });

  test('judges whatever a server may write as the tap does, and never breaks', () => {
    const odd = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('', 'a', 0, 7, true, null));
    const call = fc.record({ id: odd, function: fc.oneof(odd, fc.record({ name: odd, arguments: odd })) });
    const said = { content: odd, thinking: odd, tool_calls: fc.oneof(odd, fc.array(call, { maxLength: 2 })) };
    const line = fc.record(
      {
        model: odd,
        created_at: odd,
        message: fc.oneof(odd, fc.record(said, { requiredKeys: [] })),
        response: odd,
        done: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: odd }),
        done_reason: odd,
        prompt_eval_count: odd,
        eval_count: odd,
        logprobs: odd,
        error: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: odd }),
      },
      { requiredKeys: [] },
    );
    const lines = fc.array(fc.oneof({ weight: 9, arbitrary: line }, { weight: 1, arbitrary: fc.jsonValue() }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(lines, (values) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        const tap = passThroughs['ollama-chat'].tap({ hideUsage: true });
        const decoder = ollamaChatUpstreamCodec.streamDecoder({ fallbackId: 'f' });
        for (const frame of linesOf(bytes)) {
          const { verdict, parts } = decoder.decode(frame);
          if (decoder.error?.type === 'invalid') return;
          expect(verdict).toBe(tap.frame(frame));
          expect([decoder.usage, decoder.finished, decoder.empty]).toEqual([tap.usage, tap.finished, tap.empty]);
          if (verdict === 'content' && parts.length === 0) throw new Error('content without parts');
          if (verdict === 'error') return;
        }
        expect(decode(bytes, 3)).toEqual(decode(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('takes arguments that are text', () => {
    const calls = ['{"a": 1}', ''].map((input) => ({ function: { name: 'f', arguments: input } }));
    const line = { message: { tool_calls: calls }, done: true };
    const { content } = collect(decode(Buffer.from(JSON.stringify(line))));
    expect(content.map((block) => block.type === 'tool-call' && block.input)).toEqual(['{"a": 1}', '{}']);
  });
});

describe('a server, seen by a client of OpenAI', () => {
  test.each(['v6', 'v7'] as const)('is what the accumulator of %s accepts', async (version) => {
    for (const { name, bytes, finished } of chatStreams) {
      if (finished !== true) continue;
      const encoder = openaiChatClientCodec.streamEncoder(context);
      const body = Buffer.concat(decode(bytes).map((part) => encoder.encode(part)));
      const { client } = clientOf(version, { body, chunkBytes: 50 });
      const stream = client.chat.completions.stream({ model: 'm', messages: [] });
      await expect(stream.finalChatCompletion(), name).resolves.toBeDefined();
    }
  });

  test('[129] [131] has calls with ids and text for arguments, and finishes with them', async () => {
    const encoder = openaiChatClientCodec.streamEncoder(context);
    const body = Buffer.concat(decode(bytesOf('chat-tools.ndjson')).map((part) => encoder.encode(part)));
    const stream = clientOf('v7', { body }).client.chat.completions.stream({ model: 'm', messages: [] });
    expect((await stream.finalChatCompletion()).choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        tool_calls: [
          { id: 'call_req-7_0', function: { name: 'get_weather', arguments: '{"city":"Tokyo","days":2}' } },
          { id: 'call_req-7_1', function: { name: 'get_weather', arguments: '{"city":"Köln"}' } },
        ],
      },
    });
  });

  test('tells log probabilities where they are looked for', async () => {
    const encoder = openaiChatClientCodec.streamEncoder(context);
    const body = Buffer.concat(decode(bytesOf('chat-logprobs.ndjson')).map((part) => encoder.encode(part)));
    const stream = clientOf('v7', { body }).client.chat.completions.stream({
      model: 'm',
      messages: [],
      logprobs: true,
    });
    expect((await stream.finalChatCompletion()).choices[0]?.logprobs?.content).toMatchObject([
      { token: 'Hi', logprob: -0.25, bytes: [72, 105] },
    ]);
  });
});
