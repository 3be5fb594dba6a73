import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import {
  anthropicMessagesClientCodec,
  createAnthropicUpstreamCodec,
} from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { anthropicMessagesPassThrough } from '../../../../proxy/protocols/anthropic-messages/pass-through.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { SseFrames } from '../../../../proxy/stream/sse-frames.ts';
import { cutAt } from '../../stream/frames.ts';
import { framesOf } from '../fixture.ts';
import { collect, context } from './answer.ts';
import { bytesOf, streams } from './fixture.ts';

const upstream = createAnthropicUpstreamCodec(anthropicDialect);

function decode(frames: readonly Buffer[]): readonly StreamPart[] {
  const decoder = upstream.streamDecoder({ fallbackId: 'fallback' });
  return [...frames.flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}

function read(name: string): readonly StreamPart[] {
  return decode(framesOf(bytesOf(name)));
}

/** The stream as clients of chat completions get it. */
function asChat(name: string): string {
  const encoder = openaiChatClientCodec.streamEncoder(context);
  return read(name)
    .map((part) => encoder.encode(part).toString())
    .join('');
}

describe('the decoder', () => {
  // That arguments are not whole only who puts them together can know.
  test.each(streams.filter(({ name }) => name !== 'broken-tool.sse'))(
    'judges $name as the tap does, however it is cut',
    ({ bytes }) => {
      for (const size of [bytes.length, 1, 13]) {
        const tap = anthropicMessagesPassThrough.tap({ hideUsage: true });
        const decoder = upstream.streamDecoder({ fallbackId: 'f' });
        for (const frame of framesOf(bytes, size)) {
          expect(decoder.decode(frame).verdict).toBe(tap.frame(frame));
          expect(decoder.usage).toEqual(tap.usage);
          expect(decoder.finished).toBe(tap.finished);
          expect(decoder.done).toBe(tap.done);
          expect(decoder.empty).toBe(tap.empty);
          expect(decoder.error).toEqual(tap.error);
        }
        expect(decoder.end()).toEqual([]);
        expect(decoder.error).toEqual(tap.error);
      }
    },
  );

  test('[1] any cut of any stream gives the same parts', () => {
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.array(fc.nat(), { maxLength: 20 }), ({ bytes, name }, cuts) => {
        const splitter = new SseFrames();
        const frames = cutAt(bytes, cuts).flatMap((chunk) => splitter.push(chunk));
        const rest = splitter.flush();
        const all = rest === undefined ? frames : [...frames, Buffer.concat([rest, Buffer.from('\n\n')])];
        expect(decode(all), name).toEqual(read(name));
      }),
      { numRuns: 500 },
    );
  });

  test.each(streams)('[1] [2] $name a byte at a time gives the same parts', ({ bytes, name }) => {
    expect(decode(framesOf(bytes, 1))).toEqual(read(name));
    expect(JSON.stringify(read(name))).not.toContain('\ufffd');
  });

  test.each(['crlf.sse', 'cr.sse', 'no-blank-line-at-end.sse'])('[3] [8] %s says what text.sse says', (name) => {
    expect(read(name)).toEqual(read('text.sse'));
  });

  test.each(
    streams.filter(({ finished, error, name }) => finished && error === undefined && name !== 'broken-tool.sse'),
  )('closes every block of $name and finishes once, at the end', ({ name, usage }) => {
    expect(collect(read(name)).usage).toEqual(usage);
  });

  test.each(streams.filter(({ finished, error }) => !finished || error !== undefined))(
    '[7] does not finish $name',
    ({ name, error }) => {
      const parts = read(name);
      expect(parts.some(({ type }) => type === 'finish')).toBe(false);
      expect(parts.filter(({ type }) => type === 'error')).toHaveLength(error === undefined ? 0 : 1);
    },
  );

  test.each([
    ['text.sse', [{ type: 'text', text: 'Hello "wörld"\n😀!' }], 'stop'],
    [
      'tool.sse',
      [
        { type: 'text', text: 'Okay, let me check' },
        {
          type: 'tool-call',
          id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6',
          tool: 'get_weather',
          input: '{"location": "San Francisco, CA", "unit": "fahrenheit"}',
        },
      ],
      'tool-calls',
    ],
    [
      'two-tools.sse',
      [
        { type: 'text', text: 'Both.' },
        { type: 'tool-call', id: 'toolu_a', tool: 'one', input: '{"a":1}' },
        { type: 'tool-call', id: 'toolu_b', tool: 'two', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'thinking.sse',
      [
        {
          type: 'thinking',
          text: 'I need the GCD.\n1071 = 2 × 462 + 147',
          signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h',
        },
        { type: 'text', text: 'The answer is **21**.' },
      ],
      'stop',
    ],
    [
      'thinking-omitted.sse',
      [
        { type: 'thinking', text: '', signature: 'EosnCkYICxIMMb3LzNrMu' },
        { type: 'text', text: '21' },
      ],
      'stop',
    ],
    [
      'redacted-thinking.sse',
      [
        { type: 'redacted-thinking', data: 'EmwKAhgBEgy3va3pzix/LafPsn4a' },
        { type: 'text', text: 'Done.' },
      ],
      'stop',
    ],
    [
      'interleaved-thinking.sse',
      [
        { type: 'thinking', text: 'First', signature: 'c2ln' },
        { type: 'text', text: 'One' },
        { type: 'thinking', text: 'Again', signature: 'bmF0' },
        { type: 'tool-call', id: 'toolu_i', tool: 'f', input: '{}' },
      ],
      'tool-calls',
    ],
    ['stop-sequence.sse', [{ type: 'text', text: '1, 2' }], 'stop-sequence'],
    [
      'max-tokens-in-tool.sse',
      [{ type: 'tool-call', id: 'toolu_cut', tool: 'write', input: '{"path":"/a","tex' }],
      'length',
    ],
    ['context-window.sse', [{ type: 'text', text: 'So fa' }], 'context-window'],
    ['refusal.sse', [], 'refusal'],
    ['empty.sse', [], 'stop'],
    ['odd-framing.sse', [{ type: 'text', text: 'joined' }], 'stop'],
    ['malformed-amid-good.sse', [{ type: 'text', text: 'ab' }], 'stop'],
    ['second-start.sse', [{ type: 'text', text: 'ab' }], 'stop'],
    ['without-names.sse', [{ type: 'text', text: 'Hi' }], 'stop'],
    ['done-marker.sse', [{ type: 'text', text: 'Hi' }], 'stop'],
    ['tool-input-at-start.sse', [{ type: 'tool-call', id: 'call_w', tool: 'f', input: '{"a":[1,2]}' }], 'tool-calls'],
    [
      'implied-blocks.sse',
      [
        { type: 'text', text: 'No beginning' },
        { type: 'thinking', text: 'Hm' },
      ],
      'stop',
    ],
    ['content-in-start.sse', [{ type: 'text', text: 'Hello' }], 'stop'],
    ['json-tool.sse', [{ type: 'text', text: '{"answer": 42}' }], 'stop'],
    ['pause.sse', [{ type: 'text', text: '' }], 'pause'],
  ])('reads %s', (name, content, finish) => {
    expect(collect(read(name))).toMatchObject({ content, finish });
  });

  test('[86] input counts what a cache has read and written, output what the end says', () => {
    expect(collect(read('cached.sse')).usage).toEqual({
      inputTokens: 2104,
      outputTokens: 7,
      cachedTokens: 2000,
      cacheWriteTokens: 100,
    });
    expect(read('cached.sse')[0]).toMatchObject({ type: 'start', usage: { inputTokens: 2104, outputTokens: 1 } });
    expect(collect(read('late-usage.sse')).usage).toMatchObject({ inputTokens: 43, outputTokens: 7 });
    expect(collect(read('zero-usage-at-end.sse')).usage).toMatchObject({ inputTokens: 31 });
  });

  test('a tool call that is not whole makes the answer invalid, unless it was too long', () => {
    expect(read('broken-tool.sse').at(-1)).toMatchObject({ type: 'error', signal: { type: 'invalid' } });
    expect(read('max-tokens-in-tool.sse').at(-1)).toMatchObject({ type: 'finish', reason: 'length' });
  });

  test('stands in for an id that the upstream does not tell', () => {
    expect(read('no-usage.sse')[0]).toEqual({ type: 'start', id: 'fallback', model: '' });
    expect(read('implied-blocks.sse')[0]).toEqual({ type: 'start', id: 'fallback', model: '' });
  });

  test('errors are what the classifier reads', () => {
    const decoder = upstream.streamDecoder({ fallbackId: 'f', headers: { 'request-id': 'r' } });
    const parts = framesOf(bytesOf('error-after-content.sse')).flatMap((frame) => decoder.decode(frame).parts);
    expect(parts.at(-1)).toMatchObject({
      type: 'error',
      signal: { type: 'frame', event: 'error', headers: { 'request-id': 'r' } },
    });
    expect(decoder.decode(framesOf(bytesOf('text.sse'))[3]!).parts).toEqual([]);
  });
});

test('whatever events come in whatever order, every encoder can write what they say', () => {
  const odd = fc.oneof(fc.constant(undefined), fc.nat(2), fc.constant('x'), fc.constant(null), fc.jsonValue());
  const kind = (...names: string[]): fc.Arbitrary<unknown> => fc.oneof(fc.constantFrom(...names), odd);
  const block = fc.record(
    {
      type: kind('text', 'thinking', 'redacted_thinking', 'tool_use', 'novel'),
      text: odd,
      id: odd,
      name: odd,
      input: odd,
    },
    { requiredKeys: [] },
  );
  const delta = fc.record(
    {
      type: kind('text_delta', 'thinking_delta', 'input_json_delta', 'signature_delta', 'novel_delta'),
      text: kind('a'),
      thinking: kind('b'),
      partial_json: kind('{', '}', ''),
      signature: kind('s'),
      stop_reason: kind('end_turn', 'tool_use', 'max_tokens'),
    },
    { requiredKeys: [] },
  );
  const types = ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta'];
  const event = fc.record(
    {
      type: kind(...types, 'message_stop', 'ping', 'novel'),
      index: fc.oneof(fc.nat(2), odd),
      content_block: fc.oneof(block, odd),
      delta: fc.oneof(delta, odd),
      message: fc.oneof(fc.record({ id: odd, model: odd, usage: odd }, { requiredKeys: [] }), odd),
      usage: fc.oneof(fc.record({ output_tokens: odd, input_tokens: odd }, { requiredKeys: [] }), odd),
    },
    { requiredKeys: ['type', 'index'] },
  );
  const stop = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), (list) => {
      const frames = list.map((one) => Buffer.from(`event: e\ndata: ${JSON.stringify(one)}\n\n`));
      const parts = decode([...frames, stop]);
      if (parts.at(-1)?.type !== 'error') collect(parts);
      for (const codec of [openaiChatClientCodec, anthropicMessagesClientCodec]) {
        const encoder = codec.streamEncoder(context);
        for (const part of parts) encoder.encode(part);
      }
    }),
    { numRuns: 2000 },
  );
});

describe('for a client of chat completions', () => {
  test('[80] text is role, deltas, finish, usage and the marker', () => {
    const frames = framesOf(Buffer.from(asChat('text.sse'))).map(String);
    const deltas = frames.slice(0, -1).map((frame) => JSON.parse(frame.slice(6)) as { choices: { delta: object }[] });
    expect(deltas.flatMap(({ choices }) => choices.map(({ delta }) => delta))).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hello' },
      { content: ' "wörld"\n😀' },
      { content: '!' },
      {},
    ]);
    expect(frames.at(-1)).toBe('data: [DONE]\n\n');
  });

  test('[81] thinking is never content', () => {
    const chat = asChat('thinking.sse');
    expect(chat).toContain('"reasoning_content":"I need the GCD.\\n"');
    expect(chat).not.toContain('"content":"I need');
  });

  test('[82] tools are numbered among themselves', () => {
    const chat = asChat('two-tools.sse');
    expect(chat).toContain('"tool_calls":[{"index":0,"id":"toolu_a"');
    expect(chat).toContain('"tool_calls":[{"index":1,"id":"toolu_b"');
  });

  test('[83] fragments of arguments are passed on as they come', () => {
    const arguments_ = [...asChat('tool.sse').matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(
      ([, text]) => JSON.parse(text!) as string,
    );
    expect(arguments_).toEqual(['', '{"location":', ' "San', ' Francisco, CA"', ', "unit": "fah', 'renheit"}']);
  });

  test('[84] a tool without any has the arguments {}', () => {
    expect(asChat('two-tools.sse')).toContain('"index":1,"function":{"arguments":"{}"}');
  });

  test('[78] a stand-in for a response format is text, and no tool is seen', () => {
    const chat = asChat('json-tool.sse');
    expect(chat).toContain('"content":"{\\"answer\\""');
    expect(chat).toContain('"finish_reason":"stop"');
    expect(chat).not.toContain('tool_calls');
  });

  test.each([
    ['max-tokens-in-tool.sse', 'length'],
    ['refusal.sse', 'content_filter'],
    ['stop-sequence.sse', 'stop'],
    ['pause.sse', 'stop'],
    ['context-window.sse', 'length'],
    ['two-tools.sse', 'tool_calls'],
  ])('[85] %s finishes with %s', (name, finish) => {
    expect(asChat(name)).toContain(`"finish_reason":"${finish}"`);
  });

  test('[87] pings say nothing', () => {
    const decoder = upstream.streamDecoder({ fallbackId: 'f' });
    const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');
    expect(decoder.decode(ping)).toEqual({ verdict: 'lifecycle', parts: [] });
  });
});
