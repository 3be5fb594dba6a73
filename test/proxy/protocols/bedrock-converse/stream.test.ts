import { crc32 } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { createMessageReader, eventStream } from '../../../../proxy/protocols/bedrock-converse/event-stream.ts';
import { MessageStreamEncoder } from '../../../../proxy/protocols/anthropic-messages/stream-encoder.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { ChatLane } from '../../../../proxy/protocols/lane.ts';
import { createChatAnswers } from '../../../../proxy/protocols/lane-chat.ts';
import { bedrockConverseUpstreamCodec } from '../../../../proxy/protocols/bedrock-converse/codec.ts';
import { openaiResponsesClientCodec } from '../../../../proxy/protocols/openai-responses/codec.ts';
import { collect, context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import {
  decode,
  delta,
  errorFrame,
  event,
  everything,
  exception,
  messageStop,
  metadata,
  start,
  stop,
  toolStart,
  usage,
} from './frames.ts';

const whole = Buffer.concat(everything);

function finishOf(parts: readonly StreamPart[]): StreamPart | undefined {
  return parts.find(({ type }) => type === 'finish');
}

describe('the splitter', () => {
  test('[112] gives the same frames however the bytes are cut, the first chunks of less than four bytes included', () => {
    for (const size of [1, 2, 3, 7, 64, whole.length]) {
      const splitter = eventStream.createSplitter();
      const frames: Buffer[] = [];
      for (let at = 0; at < whole.length; at += size) frames.push(...splitter.push(whole.subarray(at, at + size)));
      expect(frames).toEqual(everything);
      expect(splitter.heldBytes).toBe(0);
      expect(splitter.flush()).toBeUndefined();
    }
  });

  test('[112] gives the same frames cut in two at every byte', () => {
    const pair = Buffer.concat([everything[0]!, everything[1]!]);
    for (let at = 0; at <= pair.length; at++) {
      const splitter = eventStream.createSplitter();
      const frames = [...splitter.push(pair.subarray(0, at)), ...splitter.push(pair.subarray(at))];
      expect(frames).toEqual([everything[0], everything[1]]);
    }
  });

  test('[113] believes no length whose checksum is wrong, and none that is too small or too large', () => {
    fc.assert(
      fc.property(fc.nat({ max: 11 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(everything[0]!);
        damaged[at]! ^= change;
        expect(() => eventStream.createSplitter().push(damaged)).toThrow('checksum');
      }),
    );
    for (const bytes of [0, 15, 0x7fffffff]) {
      const prelude = Buffer.alloc(12);
      prelude.writeUInt32BE(bytes);
      prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
      expect(() => eventStream.createSplitter().push(prelude)).toThrow(`a frame has ${bytes} bytes`);
    }
  });

  test('holds part of a frame, which is none at the end', () => {
    const splitter = eventStream.createSplitter();
    splitter.push(whole.subarray(0, 40));
    expect(splitter.heldBytes).toBe(40);
    expect(splitter.flush()).toBeUndefined();
  });

  test.each([
    ['application/vnd.amazon.eventstream', true],
    ['text/event-stream', false],
    ['application/json', false],
  ])('%s is such a stream: %s', (type, expected) => {
    expect(eventStream.contentTypes.test(type)).toBe(expected);
  });
});

describe('a frame', () => {
  test('is read byte for byte as it is documented', () => {
    // A length of 118, headers of 82 bytes, and checksums that another implementation has made.
    const hex = [
      '000000760000005296d5fade0b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e74',
      '2d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22',
      '726f6c65223a22617373697374616e74227d6fa8c599',
    ];
    const frame = Buffer.from(hex.join(''), 'hex');
    expect(eventStream.createSplitter().push(frame)).toEqual([frame]);
    expect(createMessageReader()(frame)).toEqual({
      type: 'event',
      name: 'messageStart',
      text: '{"role":"assistant"}',
    });
  });
});

describe('a stream', () => {
  test('[115] [116] [117] tells every block, whether it has a beginning or not, and usage behind the end', () => {
    const { parts, decoder, verdicts } = decode(whole, whole.length, { 'x-amzn-requestid': 'req-7' });
    expect(parts).toEqual([
      { type: 'start', id: 'req-7', model: '' },
      { type: 'block-start', index: 0, block: { type: 'thinking' } },
      { type: 'delta', index: 0, text: 'Hm' },
      { type: 'delta', index: 0, text: '…' },
      { type: 'block-end', index: 0, signature: 'c2ln' },
      { type: 'block-start', index: 1, block: { type: 'redacted-thinking', data: 'aGlkZGVu' } },
      { type: 'block-end', index: 1 },
      { type: 'block-start', index: 2, block: { type: 'text' } },
      { type: 'delta', index: 2, text: 'Grüße ' },
      { type: 'delta', index: 2, text: '😀' },
      { type: 'block-end', index: 2 },
      { type: 'block-start', index: 3, block: { type: 'tool-call', id: 'tooluse_a', tool: 'weather' } },
      { type: 'delta', index: 3, text: '{"city":' },
      { type: 'delta', index: 3, text: '"Köln"}' },
      { type: 'block-end', index: 3 },
      { type: 'block-start', index: 4, block: { type: 'tool-call', id: 'tooluse_b', tool: 'time' } },
      { type: 'delta', index: 4, text: '{}' },
      { type: 'block-end', index: 4 },
      {
        type: 'finish',
        reason: 'tool-calls',
        usage: { inputTokens: 17, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 3 },
        metadata: { 'bedrock-converse': { metrics: { latencyMs: 12 } } },
      },
    ]);
    expect(decoder).toMatchObject({ finished: true, done: true, empty: false, error: undefined });
    expect(new Set(verdicts)).toEqual(new Set(['content', 'lifecycle']));
    expect(verdicts[0]).toBe('lifecycle');
  });

  test('[112] is the same however it is cut', () => {
    const { parts } = decode(whole);
    for (const size of [1, 5, 17]) expect(decode(whole, size).parts).toEqual(parts);
  });

  test('[114] that is throttled before its first words is an error without content', () => {
    const { parts, verdicts, decoder } = decode(exception('throttlingException', { message: 'Too many requests.' }));
    expect(verdicts).toEqual(['error']);
    expect(decoder.error).toEqual({
      type: 'frame',
      event: 'throttlingException',
      data: '{"message":"Too many requests."}',
      headers: {},
    });
    expect(parts).toEqual([{ type: 'error', signal: decoder.error }]);
    expect(decoder.empty).toBe(true);
  });

  test.each([
    'internalServerException',
    'modelStreamErrorException',
    'validationException',
    'throttlingException',
    'serviceUnavailableException',
  ])('[114] that ends in %s says so, and nothing behind it counts', (type) => {
    const { parts, decoder } = decode(
      Buffer.concat([start(), delta(0, { text: 'a' }), exception(type, { message: 'm' }), ...everything.slice(-2)]),
    );
    expect(parts.at(-1)).toEqual({ type: 'error', signal: decoder.error });
    expect(decoder.error).toMatchObject({ type: 'frame', event: type });
    expect(finishOf(parts)).toBeUndefined();
  });

  test('E24 with an error that has no payload says its code and message', () => {
    const { decoder } = decode(errorFrame('InternalFailure', 'Broken.'));
    expect(decoder.error).toMatchObject({ type: 'frame', event: 'InternalFailure', data: '{"message":"Broken."}' });
  });

  test('[113] with a damaged frame ends in an error, wherever the damage is', () => {
    const last = everything[7]!;
    fc.assert(
      fc.property(fc.integer({ min: 12, max: last.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(last);
        damaged[at]! ^= change;
        const { parts, decoder } = decode(Buffer.concat([start(), damaged, ...everything.slice(-2)]));
        expect(parts.at(-1)).toMatchObject({ type: 'error' });
        expect(decoder.error).toMatchObject({ type: 'invalid', detail: 'a frame of the answer is damaged' });
      }),
    );
  });

  test('that is cut before its end does not finish', () => {
    const { parts, decoder } = decode(Buffer.concat(everything.slice(0, 9)));
    expect(finishOf(parts)).toBeUndefined();
    expect(decoder.finished).toBe(false);
  });

  test('[116] that says no usage finishes all the same', () => {
    const { parts } = decode(Buffer.concat([start(), delta(0, { text: 'a' }), messageStop('end_turn')]));
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
    expect(parts.at(-2)).toEqual({ type: 'block-end', index: 0 });
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop-sequence'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'context-window'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['something_new', 'other'],
  ])('[123] that stops with %s finishes with %s', (reason, expected) => {
    const { parts } = decode(
      Buffer.concat([start(), delta(0, { text: 'a' }), stop(0), messageStop(reason), metadata(usage)]),
    );
    expect(finishOf(parts)).toMatchObject({ reason: expected });
  });

  test.each(['malformed_model_output', 'malformed_tool_use'])('[123] that stops with %s is a failure', (reason) => {
    const { decoder, parts } = decode(Buffer.concat([start(), messageStop(reason), metadata(usage)]));
    expect(decoder.error).toMatchObject({ type: 'invalid', detail: `the answer ended with ${reason}` });
    expect(finishOf(parts)).toBeUndefined();
  });

  test('in which a filter let nothing through is not empty; one without any words is', () => {
    const none = { inputTokens: 1, outputTokens: 0, totalTokens: 1 };
    expect(decode(Buffer.concat([start(), messageStop('guardrail_intervened'), metadata(none)])).decoder.empty).toBe(
      false,
    );
    expect(decode(Buffer.concat([start(), messageStop('end_turn'), metadata(none)])).decoder.empty).toBe(true);
  });

  test('with arguments that are cut is a failure, unless it says that it was cut', () => {
    const cut = [start(), toolStart(0, 'tooluse_a', 'f'), delta(0, { toolUse: { input: '{"a' } }), stop(0)];
    expect(decode(Buffer.concat([...cut, messageStop('tool_use'), metadata(usage)])).decoder.error).toMatchObject({
      type: 'invalid',
    });
    expect(finishOf(decode(Buffer.concat([...cut, messageStop('max_tokens'), metadata(usage)])).parts)).toMatchObject({
      reason: 'length',
    });
  });

  test('whose format stands in for a schema is text', () => {
    const answer = [
      start(),
      toolStart(0, 'tooluse_a', 'sluice_json'),
      delta(0, { toolUse: { input: '{"a":1}' } }),
      stop(0),
    ];
    const { parts } = decode(Buffer.concat([...answer, messageStop('tool_use'), metadata(usage)]));
    expect(collect(parts)).toMatchObject({ content: [{ type: 'text', text: '{"a":1}' }], finish: 'stop' });
  });

  test('[115] without the ends of its blocks, or with deltas side by side, is put in order', () => {
    const odd = [
      delta(0, { reasoningContent: { text: 'a' } }),
      delta(1, { text: 'b' }),
      toolStart(2, 'tooluse_a', 'f'),
      toolStart(3, 'tooluse_b', 'g'),
      delta(2, { toolUse: { input: '{"a":' } }),
      delta(3, { toolUse: { input: '{"b":2}' } }),
      delta(2, { toolUse: { input: '1}' } }),
      delta(7, { toolUse: { input: 'nobody knows of what' } }),
      event('somethingNew', { a: 1 }),
      messageStop('end_turn'),
      metadata(usage),
    ];
    expect(collect(decode(Buffer.concat(odd)).parts)).toMatchObject({
      content: [
        { type: 'thinking', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'tool-call', id: 'tooluse_a', tool: 'f', input: '{"a":1}' },
        { type: 'tool-call', id: 'tooluse_b', tool: 'g', input: '{"b":2}' },
      ],
      finish: 'tool-calls',
      closed: true,
    });
  });

  test('whose payload is no JSON object is malformed there', () => {
    const frames = [start(), event('contentBlockDelta', []), delta(0, { text: 'a' }), messageStop('end_turn')];
    const { verdicts, parts } = decode(Buffer.concat(frames));
    expect(verdicts).toEqual(['lifecycle', 'malformed', 'content', 'lifecycle']);
    expect(finishOf(parts)).toMatchObject({ reason: 'stop' });
  });

  test.each(['v6', 'v7'] as const)(
    '[115] [116] reaches %s with usage last and arguments in fragments',
    async (version) => {
      const encoder = openaiChatClientCodec.streamEncoder(context);
      const body = Buffer.concat(decode(whole).parts.map((part) => encoder.encode(part)));
      const { client } = clientOf(version, { body, chunkBytes: 50 });
      const completion = await client.chat.completions
        .stream({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
        .finalChatCompletion();
      expect(completion.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          content: 'Grüße 😀',
          tool_calls: [
            { id: 'tooluse_a', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
            { id: 'tooluse_b', function: { name: 'time', arguments: '{}' } },
          ],
        },
      });
      expect(completion.usage).toMatchObject({ prompt_tokens: 17, completion_tokens: 5 });
    },
  );

  test.each(['v6', 'v7'] as const)('[137] reaches %s as events of a response, by the lane', async (version) => {
    const lane: ChatLane = {
      type: 'chat',
      operation: { protocol: 'bedrock-converse', path: '' },
      client: openaiResponsesClientCodec,
      upstream: bedrockConverseUpstreamCodec,
    };
    const tap = createChatAnswers(lane, context).tap({ hideUsage: false });
    const pieces = everything.map((frame) => {
      tap.frame(frame);
      return tap.rewriting!.take();
    });
    const body = Buffer.concat([...pieces, tap.rewriting!.end()]);
    const { client } = clientOf(version, { body, chunkBytes: 50 });
    const final = await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse();
    expect(final.output.map(({ type }) => type)).toEqual([
      'reasoning',
      'reasoning',
      'message',
      'function_call',
      'function_call',
    ]);
    expect(final.output_text).toBe('Grüße 😀');
    expect(final.usage).toMatchObject({ input_tokens: 17, input_tokens_details: { cached_tokens: 4 } });
  });

  test('[183] [184] reaches clients of Anthropic with signatures and cache counts as they were', () => {
    const encoder = new MessageStreamEncoder(context);
    const text = Buffer.concat(decode(whole).parts.map((part) => encoder.encode(part))).toString();
    expect(text).toContain('"signature":"c2ln"');
    expect(text).toContain('"content_block":{"type":"redacted_thinking","data":"aGlkZGVu"}');
    expect(text).toContain('"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4');
  });
});
