import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { createOpenaiChatUpstreamCodec, openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import type { AnswerContext } from '../../../../proxy/protocols/protocol.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { framesOf, streams } from '../fixture.ts';
import { clientOf } from '../sdk.ts';
import { collect, context, response, toParts } from './answer.ts';

const upstream = createOpenaiChatUpstreamCodec(openaiDialect);
const chatStreams = streams.filter(({ protocol }) => protocol === 'openai-chat');
const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

function decode(bytes: Buffer, size = bytes.length): readonly StreamPart[] {
  const decoder = upstream.streamDecoder({ fallbackId: 'fallback' });
  return [...framesOf(bytes, size).flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}

function encode(parts: readonly StreamPart[], options: Partial<AnswerContext> = {}): Buffer {
  const encoder = openaiChatClientCodec.streamEncoder({ ...context, ...options });
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

function fixture(name: string): Buffer {
  const found = streams.find((stream) => stream.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}

describe('the decoder', () => {
  test.each(chatStreams)('judges $name as the tap does, however it is cut', ({ bytes }) => {
    for (const size of [bytes.length, 1, 13]) {
      const tap = protocols['openai-chat'].passThrough!.tap({ hideUsage: true });
      const decoder = upstream.streamDecoder({ fallbackId: 'f' });
      for (const frame of framesOf(bytes, size)) {
        expect(decoder.decode(frame).verdict).toBe(tap.frame(frame));
        expect(decoder.usage).toEqual(tap.usage);
        expect(decoder.finished).toBe(tap.finished);
        expect(decoder.empty).toBe(tap.empty);
        expect(decoder.error).toEqual(tap.error);
      }
      decoder.end();
      expect(decoder.error).toEqual(tap.error);
    }
  });

  test.each(chatStreams)('gives the same parts of $name however it is cut', ({ bytes }) => {
    const whole = decode(bytes);
    expect(decode(bytes, 1)).toEqual(whole);
    expect(decode(bytes, 5)).toEqual(whole);
  });

  test.each(chatStreams.filter(({ finished, error }) => finished && error === undefined))(
    'closes every block of $name and finishes once, at the end',
    ({ bytes, usage }) => {
      const parts = decode(bytes);
      expect(parts.filter(({ type }) => type === 'start' || type === 'finish').map(({ type }) => type)).toEqual([
        'start',
        'finish',
      ]);
      expect(parts.at(-1)?.type).toBe('finish');
      const sum = collect(parts);
      expect(sum.closed).toBe(true);
      expect(sum.usage).toEqual(usage);
    },
  );

  test.each(chatStreams.filter(({ finished, error }) => !finished || error !== undefined))(
    'does not finish $name',
    ({ bytes, error }) => {
      const parts = decode(bytes);
      expect(parts.some(({ type }) => type === 'finish')).toBe(false);
      expect(parts.filter(({ type }) => type === 'error')).toHaveLength(error === undefined ? 0 : 1);
    },
  );

  test.each([
    ['openai-text.sse', [{ type: 'text', text: 'Hello "wörld"\n😀!' }], 'stop'],
    [
      'openai-tools-interleaved.sse',
      [
        { type: 'tool-call', id: 'call_a1', tool: 'weather', input: '{"city":"Köln"}' },
        { type: 'tool-call', id: 'call_b2', tool: 'time', input: '{}' },
      ],
      'tool-calls',
    ],
    ['openai-refusal.sse', [{ type: 'refusal', text: 'I cannot help.' }], 'stop'],
    ['openai-empty.sse', [], 'stop'],
    ['openai-content-filter.sse', [], 'content-filter'],
    ['azure-text.sse', [{ type: 'text', text: 'Bonjour !' }], 'stop'],
    ['azure-async-filter.sse', [{ type: 'text', text: 'Salut' }], 'stop'],
    [
      'vllm-usage-in-every-chunk.sse',
      [
        { type: 'thinking', text: 'Hm…' },
        { type: 'text', text: 'Ja.' },
      ],
      'stop',
    ],
    ['vllm-tool.sse', [{ type: 'tool-call', id: 'chatcmpl-tool-9d0', tool: 'get', input: '{"a": 1}' }], 'tool-calls'],
    [
      'deepseek-reasoner.sse',
      [
        { type: 'thinking', text: 'First,' },
        { type: 'text', text: '42' },
      ],
      'stop',
    ],
    [
      'openrouter-reasoning.sse',
      [
        { type: 'thinking', text: 'Let me' },
        { type: 'text', text: 'Yes' },
      ],
      'stop',
    ],
    [
      'mistral-thinking.sse',
      [
        { type: 'thinking', text: 'Hmm' },
        { type: 'text', text: 'Oui' },
      ],
      'stop',
    ],
    [
      'mistral-tool.sse',
      [{ type: 'tool-call', id: 'D681PevKs', tool: 'get_weather', input: '{"city": "Paris"}' }],
      'tool-calls',
    ],
    [
      'xai-reasoning.sse',
      [
        { type: 'thinking', text: 'Thinking' },
        { type: 'text', text: 'Yes' },
      ],
      'stop',
    ],
    [
      'gemini-compat-tools.sse',
      [
        { type: 'tool-call', id: 'function-call-1', tool: 'one', input: '{"a":1}' },
        { type: 'tool-call', id: 'function-call-2', tool: 'two', input: '{"b":2}' },
      ],
      'tool-calls',
    ],
    [
      'ollama-tools-index-0.sse',
      [
        { type: 'tool-call', id: 'call_x1', tool: 'one', input: '{}' },
        { type: 'tool-call', id: 'call_x2', tool: 'two', input: '{}' },
      ],
      'tool-calls',
    ],
  ])('reads %s', (name, content, finish) => {
    expect(collect(decode(fixture(name)))).toMatchObject({ content, finish });
  });

  test("[43] takes id and model from the first chunk that has them (Azure's has none)", () => {
    expect(decode(fixture('azure-text.sse'))[0]).toMatchObject({
      type: 'start',
      id: 'chatcmpl-BzYf3',
      model: 'gpt-4o-2024-11-20',
      createdAt: 1_753_700_000,
    });
  });

  function chunks(...deltas: readonly object[]): Buffer {
    const choices = deltas.map((delta) => ({ choices: [{ index: 0, delta }] }));
    const all = [...choices, { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }];
    return Buffer.from(all.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''));
  }

  test.each([
    [
      'a name that is repeated',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{' } },
        { index: 0, id: 'a', function: { name: 'f', arguments: '}' } },
      ],
      [['a', 'f', '{}']],
    ],
    [
      'a name that comes late',
      [
        { index: 0, id: 'a', function: { arguments: '{"x"' } },
        { index: 0, function: { name: 'f', arguments: ':1}' } },
      ],
      [['a', 'f', '{"x":1}']],
    ],
    [
      'calls without index and id',
      [
        { function: { name: 'f', arguments: '{' } },
        { function: { arguments: '}' } },
        { function: { name: 'g', arguments: '{}' } },
      ],
      [
        ['call_fallback_0', 'f', '{}'],
        ['call_fallback_1', 'g', '{}'],
      ],
    ],
    [
      'an id that comes late',
      [
        { index: 0, function: { name: 'f', arguments: '{' } },
        { index: 0, id: 'late', function: { arguments: '}' } },
      ],
      [['call_fallback_0', 'f', '{}']],
    ],
    [
      'one index for calls of different names',
      [
        { index: 0, function: { name: 'f', arguments: '{}' } },
        { index: 0, function: { name: 'g', arguments: '{}' } },
      ],
      [
        ['call_fallback_0', 'f', '{}'],
        ['call_fallback_1', 'g', '{}'],
      ],
    ],
    [
      'arguments that are an object',
      [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
      [['a', 'f', '{"x":1}']],
    ],
    ['no arguments', [{ index: 0, id: 'a', function: { name: 'f' } }], [['a', 'f', '']]],
  ])('puts together %s', (_, calls, expected) => {
    const parts = decode(chunks(...calls.map((call) => ({ tool_calls: [call] }))));
    const content = expected.map(([id, tool, input]) => ({ type: 'tool-call', id, tool, input }));
    expect(collect(parts)).toMatchObject({ content, finish: 'tool-calls', closed: true });
  });

  test.each([
    ['arguments that are cut', { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }],
    ['no name', { index: 0, id: 'a', function: { arguments: '{}' } }],
  ])('a tool call with %s makes the answer invalid', (_, call) => {
    const parts = decode(chunks({ tool_calls: [call] }));
    expect(parts.at(-1)).toMatchObject({ type: 'error', signal: { type: 'invalid' } });
  });

  test('arguments that are cut are what they are where the answer was too long', () => {
    const bytes = chunks({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }] });
    const parts = decode(Buffer.from(bytes.toString().replace('"tool_calls"}]', '"length"}]')));
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
  });

  test('names the sequence that vLLM stopped at', () => {
    const frame =
      'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop","stop_reason":"END"}]}\n\n';
    expect(decode(Buffer.from(frame)).at(-1)).toMatchObject({ reason: 'stop-sequence', stopSequence: 'END' });
  });
});

describe('the encoder', () => {
  test('writes what the decoder reads', () => {
    fc.assert(
      fc.property(response, fc.array(fc.nat(), { maxLength: 6 }), fc.boolean(), (answer, cuts, interleaved) => {
        const parts = toParts(answer, cuts, interleaved);
        const bytes = encode(parts);
        const sum = collect(decode(bytes, 9));
        const { content, finish, usage } = answer;
        expect(sum).toEqual({ content, finish, usage, closed: true });
      }),
      { numRuns: 300 },
    );
  });

  test('shows usage only to those who asked', () => {
    const parts = decode(fixture('openai-text.sse'));
    const frames = framesOf(encode(parts)).map(String);
    expect(frames.at(-2)).toContain('"choices":[],"usage":{"prompt_tokens":19,');
    expect(frames[0]).toContain('"usage":null');
    expect(encode(parts, { wantsUsage: false }).toString()).not.toContain('"usage"');
    expect(frames.at(-1)).toBe('data: [DONE]\n\n');
  });

  test('stands in for an id, a model and a time that the upstream does not tell', () => {
    const frame = encode([{ type: 'start', id: '', model: '' }]).toString();
    expect(frame).toContain('"id":"chatcmpl-req-1"');
    expect(frame).toContain('"model":"asked"');
    expect(frame).toContain('"created":1700000000');
  });

  test.each(['v6', 'v7'] as const)('writes what the accumulator of %s accepts', async (version) => {
    const arbitrary = fc.tuple(response, fc.array(fc.nat(), { maxLength: 4 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([answer, cuts, interleaved]) => {
        const body = encode(toParts(answer, cuts, interleaved));
        const { client } = clientOf(version, { body, chunkBytes: 64 });
        const completion = await client.chat.completions.stream(ask).finalChatCompletion();
        const { message, finish_reason: finish } = completion.choices[0]!;
        const of = (type: string): string | null => {
          const block = answer.content.find((candidate) => candidate.type === type);
          return block !== undefined && 'text' in block ? block.text : null;
        };
        expect(message.content ?? '').toBe(of('text') ?? '');
        expect(message.refusal ?? null).toBe(of('refusal'));
        expect(
          (message.tool_calls ?? []).map(
            (call) => call.type === 'function' && [call.id, call.function.name, call.function.arguments],
          ),
        ).toEqual(
          answer.content.flatMap((block) => (block.type === 'tool-call' ? [[block.id, block.tool, block.input]] : [])),
        );
        expect(finish).toBe(
          { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls', 'content-filter': 'content_filter' }[
            answer.finish as string
          ],
        );
        expect(completion.usage?.total_tokens).toBe(answer.usage!.inputTokens + answer.usage!.outputTokens);
      }),
      { numRuns: 40 },
    );
  });

  test.each(['v6', 'v7'] as const)('makes %s accept every odd stream of the wild', async (version) => {
    for (const { name, bytes, finished, error } of chatStreams) {
      if (finished !== true || error !== undefined) continue;
      const { client } = clientOf(version, { body: encode(decode(bytes)), chunkBytes: 50 });
      await expect(client.chat.completions.stream(ask).finalChatCompletion(), name).resolves.toBeDefined();
    }
  });
});
