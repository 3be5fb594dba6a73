import type Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import {
  anthropicMessagesClientCodec,
  createAnthropicUpstreamCodec,
} from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import type { MessageContext } from '../../../../proxy/protocols/anthropic-messages/encode-response.ts';
import { MessageStreamEncoder } from '../../../../proxy/protocols/anthropic-messages/stream-encoder.ts';
import { createOpenaiChatUpstreamCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { framesOf, streams as otherStreams } from '../fixture.ts';
import { collect, context, response, toParts } from './answer.ts';
import { bytesOf, streams } from './fixture.ts';
import { ask, clientOf, type Version, versions } from './sdk.ts';

const own = createAnthropicUpstreamCodec(anthropicDialect);
const chat = createOpenaiChatUpstreamCodec(openaiDialect);

function encode(parts: readonly StreamPart[], options: Partial<MessageContext> = {}): Buffer {
  const encoder = new MessageStreamEncoder({ ...context, ...options });
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

function decode(bytes: Buffer, upstream = own): readonly StreamPart[] {
  const decoder = upstream.streamDecoder({ fallbackId: 'fallback' });
  return [...framesOf(bytes).flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}

/** Chunks of chat completions as a client of this protocol gets them. */
function fromChat(...deltas: readonly object[]): Buffer {
  return encode(decode(chatStream(deltas), chat));
}

function chatStream(deltas: readonly object[], finish = 'stop'): Buffer {
  const choices = deltas.map((delta) => ({ id: 'chatcmpl-1', model: 'm', choices: [{ index: 0, delta }] }));
  const usage = { prompt_tokens: 40, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 30 } };
  const end = [{ choices: [{ index: 0, delta: {}, finish_reason: finish }] }, { choices: [], usage }];
  return Buffer.from([...choices, ...end].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join(''));
}

type Event = { readonly type: string; readonly [name: string]: unknown };

function events(bytes: Buffer): readonly Event[] {
  return framesOf(bytes).map((frame) => {
    const [, name, data] = /^event: (\w+)\ndata: ([^\n]*)\n\n$/.exec(frame.toString())!;
    const event = JSON.parse(data!) as Event;
    expect(event.type).toBe(name);
    return event;
  });
}

function types(bytes: Buffer): readonly string[] {
  return events(bytes).map(({ type }) => type);
}

async function finalMessage(version: Version, body: Buffer): Promise<Anthropic.Message> {
  const { client } = clientOf(version, { body, chunkBytes: 64 });
  return await client.messages.stream(ask).finalMessage();
}

/** A message without what the clients add to it. */
function plain(message: unknown): unknown {
  const { parsed_output: _, ...rest } = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
  return rest;
}

/** Streams that the official client takes from nobody, and those that are better afterwards. */
const changed: ReadonlySet<string> = new Set([
  'broken-tool.sse',
  'implied-blocks.sse',
  'json-tool.sse',
  'malformed-amid-good.sse',
  'no-blank-line-at-end.sse',
  'no-usage.sse',
  'second-start.sse',
  'tool-input-at-start.sse',
  'without-names.sse',
]);

describe('the encoder', () => {
  const arbitrary = fc.tuple(response, fc.array(fc.nat(), { maxLength: 6 }), fc.boolean());

  test('writes what the decoder reads', () => {
    fc.assert(
      fc.property(arbitrary, ([answer, cuts, interleaved]) => {
        const { content, finish, usage, stopSequence } = answer;
        const sum = collect(decode(encode(toParts(answer, cuts, interleaved))));
        expect(sum).toEqual({ content, finish, usage, ...(stopSequence !== undefined && { stopSequence }) });
      }),
      { numRuns: 500 },
    );
  });

  test('has one beginning, blocks one after the other with consecutive numbers, and one end', () => {
    fc.assert(
      fc.property(arbitrary, ([answer, cuts, interleaved]) => {
        const [start, ...rest] = events(encode(toParts(answer, cuts, interleaved)));
        expect(start?.type).toBe('message_start');
        expect(rest.slice(-2).map(({ type }) => type)).toEqual(['message_delta', 'message_stop']);
        let open: unknown;
        let count = 0;
        for (const event of rest.slice(0, -2)) {
          if (event.type === 'content_block_start') {
            expect(open).toBeUndefined();
            expect(event['index']).toBe(count++);
            open = event['index'];
          } else {
            expect(event['index']).toBe(open);
            if (event.type === 'content_block_stop') open = undefined;
            else expect(event.type).toBe('content_block_delta');
          }
        }
        expect(open).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test.each(versions)('gives the accumulator of %s the message that it would have got whole', async (version) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([answer, cuts, interleaved]) => {
        const streamed = plain(await finalMessage(version, encode(toParts(answer, cuts, interleaved))));
        const body = anthropicMessagesClientCodec.encodeResponse(answer, context);
        const { client } = clientOf(version, { body, headers: { 'content-type': 'application/json' } });
        expect(streamed).toEqual(plain(await client.messages.create(ask)));
      }),
      { numRuns: 60 },
    );
  });

  test.each(versions)('makes %s accept every odd stream of other vendors', async (version) => {
    for (const { name, bytes, finished, error, protocol } of otherStreams) {
      if (finished !== true || error !== undefined || protocol !== 'openai-chat') continue;
      await expect(finalMessage(version, encode(decode(bytes, chat))), name).resolves.toMatchObject({
        type: 'message',
        role: 'assistant',
        id: expect.stringMatching(/^msg_[\w-]+$/),
        usage: { output_tokens: expect.any(Number) },
      });
    }
  });

  test.each(streams.filter(({ name, finished, error }) => finished && error === undefined && !changed.has(name)))(
    'gives $name back as good as it was',
    async ({ name, bytes }) => {
      if (['without-names.sse', 'implied-blocks.sse', 'no-usage.sse', 'second-start.sse'].includes(name)) return;
      if (['json-tool.sse', 'tool-input-at-start.sse', 'max-tokens-in-tool.sse', 'content-in-start.sse'].includes(name))
        return;
      const [one, other] = [await finalMessage('1.x', bytes), await finalMessage('1.x', encode(decode(bytes)))];
      const without = (message: Anthropic.Message): unknown => {
        const { stop_details: _, usage: __, ...rest } = plain(message) as Record<string, unknown>;
        return rest;
      };
      expect(without(other)).toEqual(without(one));
      expect(other.usage).toMatchObject({ output_tokens: one.usage.output_tokens });
    },
  );
});

describe('from chat completions', () => {
  test('[155] text is start, block, deltas, stop and end', async () => {
    const body = fromChat({ role: 'assistant', content: '' }, { content: 'Hel' }, { content: 'lo' });
    expect(types(body)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    for (const version of versions) {
      const message = await finalMessage(version, body);
      expect(message).toMatchObject({ content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn' });
    }
  });

  test('[156] [176] the input is estimated at first, and told exactly at the end', () => {
    const [start, ...rest] = events(fromChat({ content: 'Hi' }));
    expect(start).toMatchObject({ message: { usage: { input_tokens: 17, output_tokens: 0 } } });
    expect(rest.find(({ type }) => type === 'message_delta')).toMatchObject({
      usage: { input_tokens: 10, cache_read_input_tokens: 30, cache_creation_input_tokens: 0, output_tokens: 9 },
    });
    const odd = {
      type: 'finish',
      reason: 'stop',
      usage: { inputTokens: 3, outputTokens: 1, cachedTokens: 5 },
    } as const;
    const bytes = encode([{ type: 'start', id: '', model: '' }, odd]);
    expect(events(bytes).at(-2)).toMatchObject({ usage: { input_tokens: 0, cache_read_input_tokens: 5 } });
  });

  test('without any usage the estimate stands', () => {
    const bytes = encode([
      { type: 'start', id: '', model: '' },
      { type: 'finish', reason: 'stop' },
    ]);
    expect(events(bytes).at(-2)).toMatchObject({ usage: { input_tokens: 17, output_tokens: 0 } });
    const { estimateInputTokens: _, ...bare } = context;
    const encoder = new MessageStreamEncoder(bare);
    expect(encoder.encode({ type: 'start', id: '', model: '' }).toString()).toContain('"input_tokens":0');
  });

  test('[157] a tool alone is the first block', () => {
    const call = { index: 0, id: 'call_1', function: { name: 'f', arguments: '' } };
    const body = fromChat(
      { role: 'assistant', content: '' },
      { content: null, tool_calls: [call] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] },
    );
    expect(events(body)[1]).toEqual({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 'call_1', name: 'f', input: {} },
    });
    expect(events(body).at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  test('[158] fragments of two tools that come side by side become blocks one after the other', async () => {
    const piece = (index: number, text: string, head: object = {}): object => ({
      tool_calls: [{ index, ...head, function: { arguments: text, ...('id' in head && { name: `f${index}` }) } }],
    });
    const body = fromChat(
      { content: 'Both:' },
      piece(0, '{"a"', { id: 'a' }),
      piece(1, '{"b"', { id: 'b' }),
      piece(0, ':1}'),
      piece(1, ':2}'),
    );
    for (const version of versions) {
      expect((await finalMessage(version, body)).content).toMatchObject([
        { type: 'text', text: 'Both:' },
        { type: 'tool_use', id: 'a', name: 'f0', input: { a: 1 } },
        { type: 'tool_use', id: 'b', name: 'f1', input: { b: 2 } },
      ]);
    }
  });

  test('[158] what the first of them says is not held back', () => {
    const encoder = new MessageStreamEncoder(context);
    const says = (part: StreamPart): string => encoder.encode(part).toString();
    says({ type: 'start', id: '', model: '' });
    for (const index of [0, 1]) {
      says({ type: 'block-start', index, block: { type: 'tool-call', id: `${index}`, tool: 'f' } });
    }
    expect(says({ type: 'delta', index: 0, text: '{"now"' })).toContain('{\\"now\\"');
    expect(says({ type: 'delta', index: 1, text: '{"later"' })).toBe('');
    expect(says({ type: 'block-end', index: 0 })).toMatch(/content_block_stop[\s\S]*content_block_start[\s\S]*later/);
  });

  test('[159] reasoning is closed before text, and reasoning after text is a block of its own', async () => {
    const body = fromChat(
      { reasoning_content: 'Hm' },
      { content: 'One' },
      { reasoning_content: 'Hm again' },
      { content: 'Two' },
    );
    expect(types(body).filter((type) => type.startsWith('content_block')).length).toBe(14);
    expect(events(body)[3]).toMatchObject({ index: 0, delta: { type: 'signature_delta', signature: '' } });
    expect((await finalMessage('1.x', body)).content).toEqual([
      { type: 'thinking', thinking: 'Hm', signature: '' },
      { type: 'text', text: 'One' },
      { type: 'thinking', thinking: 'Hm again', signature: '' },
      { type: 'text', text: 'Two' },
    ]);
  });

  test('[160] a second role is no second beginning', () => {
    const body = fromChat({ role: 'assistant' }, { content: 'a' }, { role: 'assistant', content: 'b' });
    expect(types(body).filter((type) => type === 'message_start')).toHaveLength(1);
  });

  test.each(versions)('[161] arguments that are cut end with max_tokens, and %s does not hang', async (version) => {
    const call = { index: 0, id: 'a', function: { name: 'f', arguments: '{"a":"b' } };
    const body = encode(decode(chatStream([{ tool_calls: [call] }], 'length'), chat));
    expect(await finalMessage(version, body)).toMatchObject({ stop_reason: 'max_tokens', content: [{ name: 'f' }] });
  });

  test('[162] stop after tool calls is tool_use', () => {
    const parts: StreamPart[] = [
      { type: 'start', id: '', model: '' },
      { type: 'block-start', index: 0, block: { type: 'tool-call', id: 'a', tool: 'f' } },
      { type: 'block-end', index: 0 },
      { type: 'finish', reason: 'stop' },
    ];
    expect(events(encode(parts)).at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
    expect(encode(parts).toString()).toContain('"partial_json":"{}"');
  });

  test('[163] what a filter took out, and what the model refused, is a refusal', () => {
    const filtered = encode(decode(chatStream([{ content: 'a' }], 'content_filter'), chat));
    expect(events(filtered).at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
    const refused = fromChat({ refusal: 'I cannot.' });
    expect(events(refused).at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
    expect(refused.toString()).toContain('"text":"I cannot."');
  });

  test('[180] an empty answer is a message without content', async () => {
    const body = fromChat({ role: 'assistant', content: '' });
    expect(types(body)).toEqual(['message_start', 'message_delta', 'message_stop']);
    for (const version of versions) {
      expect(await finalMessage(version, body)).toMatchObject({ content: [], stop_reason: 'end_turn' });
    }
  });

  test('[185] [186] thinking comes before a call, and whole arguments are one delta', () => {
    const parts: StreamPart[] = [
      { type: 'start', id: '', model: '' },
      { type: 'block-start', index: 0, block: { type: 'thinking' } },
      { type: 'delta', index: 0, text: 'I will look.' },
      { type: 'block-end', index: 0 },
      { type: 'block-start', index: 1, block: { type: 'tool-call', id: 'a', tool: 'f' } },
      { type: 'delta', index: 1, text: '{"city":"Köln"}' },
      { type: 'block-end', index: 1 },
      { type: 'finish', reason: 'tool-calls' },
    ];
    const written = events(encode(parts));
    expect(written.filter(({ type }) => type === 'content_block_start')).toMatchObject([
      { index: 0, content_block: { type: 'thinking' } },
      { index: 1, content_block: { type: 'tool_use' } },
    ]);
    const pieces = written.filter((event) => JSON.stringify(event).includes('input_json_delta'));
    expect(pieces).toMatchObject([{ delta: { partial_json: '{"city":"Köln"}' } }]);
  });

  test('[182] an answer that a vendor blocked is a refusal without content', async () => {
    const body = encode([
      { type: 'start', id: '', model: '' },
      { type: 'finish', reason: 'content-filter' },
    ]);
    expect(await finalMessage('1.x', body)).toMatchObject({ content: [], stop_reason: 'refusal' });
  });

  test('text that goes on behind a call is a block behind it, however it was begun', () => {
    const parts: StreamPart[] = [
      { type: 'start', id: '', model: '' },
      { type: 'block-start', index: 0, block: { type: 'text' } },
      { type: 'delta', index: 0, text: 'before' },
      { type: 'block-start', index: 1, block: { type: 'tool-call', id: 'a', tool: 'f' } },
      { type: 'delta', index: 1, text: '{}' },
      { type: 'delta', index: 0, text: 'behind' },
      { type: 'block-end', index: 1 },
      { type: 'block-end', index: 0 },
      { type: 'finish', reason: 'tool-calls' },
    ];
    expect(collect(decode(encode(parts))).content).toEqual([
      { type: 'text', text: 'before' },
      { type: 'tool-call', id: 'a', tool: 'f', input: '{}' },
      { type: 'text', text: 'behind' },
    ]);
  });

  test('ids of tool calls are such that any upstream takes them back', () => {
    const call = { index: 0, id: 'functions.f:0', function: { name: 'f', arguments: '{}' } };
    const [, start] = events(fromChat({ tool_calls: [call] }));
    expect(start).toMatchObject({ content_block: { id: expect.stringMatching(/^functions_f_0_[\w-]{24}$/) } });
  });

  test('blocks and deltas that only this protocol has come out as they were', () => {
    const again = events(encode(decode(bytesOf('web-search.sse'))));
    const before = events(bytesOf('web-search.sse'));
    const blocks = (list: readonly Event[]): unknown =>
      list.filter(({ type }) => type === 'content_block_start').map((event) => event['content_block']);
    expect(blocks(again)).toEqual([
      { type: 'text', text: '' },
      ...(blocks(before) as unknown[]).slice(1, 3),
      { type: 'text', text: '' },
    ]);
    expect(again.filter((event) => JSON.stringify(event).includes('citations_delta'))).toHaveLength(1);
    expect(again.at(-2)).toMatchObject({ usage: { server_tool_use: { web_search_requests: 1 } } });
  });
});
