import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { anthropicMessagesClient } from '../../../../proxy/protocols/anthropic-messages/client.ts';
import {
  anthropicCountTokensPassThrough,
  anthropicMessagesPassThrough,
} from '../../../../proxy/protocols/anthropic-messages/pass-through.ts';
import { framesOf } from '../fixture.ts';
import { answers, bytesOf, counts, streams } from './fixture.ts';
import { ask, clientOf, versions } from './sdk.ts';

const lane = anthropicMessagesPassThrough;

describe('a tap', () => {
  test.each(streams)('judges $name', ({ bytes, ...facts }) => {
    for (const size of [bytes.length, 1, 7]) {
      const looking = lane.tap({ hideUsage: true, headers: { 'request-id': 'r' } });
      expect(framesOf(bytes, size).map((frame) => looking.frame(frame))).toEqual(facts.verdicts);
      expect(looking.usage).toEqual(facts.usage);
      expect(looking.finished).toBe(facts.finished);
      expect(looking.done).toBe(facts.finished);
      expect(looking.empty).toBe(facts.empty);
      expect(looking.error?.type).toBe(facts.error);
      if (looking.error !== undefined) expect(looking.error).toHaveProperty('headers', { 'request-id': 'r' });
    }
  });

  test('gives an error to the classifier as it came', () => {
    const looking = lane.tap({ hideUsage: false });
    for (const frame of framesOf(bytesOf('error-first.sse'))) looking.frame(frame);
    expect(looking.error).toMatchObject({ type: 'frame', event: 'error' });
    expect(looking.error?.type === 'frame' && JSON.parse(looking.error.data)).toMatchObject({
      error: { type: 'overloaded_error' },
    });
  });

  test('says the same of a frame whatever frames came before', () => {
    const known = fc.constantFrom(...streams).chain((fixture) => {
      const frames = framesOf(fixture.bytes);
      const change = fc.tuple(fc.nat(frames.length - 1), fc.nat(), fc.constantFrom(...splices), fc.nat(4));
      return fc.tuple(fc.constant(frames), fc.array(change, { maxLength: 40 }));
    });
    fc.assert(
      fc.property(known, ([frames, changes]) => {
        // What begins an answer counts only once, and so does an answer's end.
        const middle = frames.filter((frame) => !/message_start|message_delta|message_stop/.test(frame.toString()));
        const looking = lane.tap({ hideUsage: true });
        const changed = changes.map(([index, at, text, length]) => splice(frames[index]!, at, text, length));
        for (const frame of [...middle, ...middle, ...middle, ...changed]) {
          if (frame.includes('message_start')) continue;
          expect(looking.frame(frame), frame.toString()).toBe(lane.tap({ hideUsage: true }).frame(frame));
        }
      }),
      { numRuns: 300 },
    );
  });
});

const splices = [
  '',
  'x',
  '"',
  '\\',
  '\\"',
  '\\n',
  '\\u00e9',
  '\t',
  '}',
  '{',
  ',',
  ':',
  '0',
  '😀',
  '"a"',
  'null',
  'text',
];

function splice(frame: Buffer, at: number, text: string, length: number): Buffer {
  // Before the blank line: what is between frames is the splitter's business.
  const from = Math.min(at % Math.max(1, frame.length - 2), frame.length - 2);
  const to = Math.min(from + length, frame.length - 2);
  return Buffer.concat([frame.subarray(0, from), Buffer.from(text), frame.subarray(to)]);
}

describe('a whole answer', () => {
  test.each(answers)('reads $name', ({ bytes, ...facts }) => {
    const headers = { 'content-type': 'x' };
    const reading = lane.readAnswer(bytes, headers);
    expect(reading.usage).toEqual(facts.usage);
    expect(reading.empty).toBe(facts.empty);
    if (facts.signal === undefined) expect(reading.signal).toBeUndefined();
    else expect(reading.signal).toMatchObject({ type: 'invalid', detail: facts.signal, headers });
  });

  test.each(counts)('reads $name', ({ bytes, signal, empty }) => {
    const reading = anthropicCountTokensPassThrough.readAnswer(bytes);
    expect(reading.usage).toBeUndefined();
    expect(reading.empty).toBe(empty);
    expect(reading.signal?.type === 'invalid' ? reading.signal.detail : undefined).toBe(signal);
  });

  test('never gives counts that are negative, fractions or not numbers', () => {
    const odd = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null), fc.constant(1e300));
    const names = ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'];
    const members = Object.fromEntries(names.map((name) => [name, odd]));
    const details = fc.oneof(odd, fc.record({ thinking_tokens: odd }));
    const usage = fc.oneof(odd, fc.record({ ...members, output_tokens_details: details }, { requiredKeys: [] }));
    fc.assert(
      fc.property(usage, (value) => {
        const body = { type: 'message', content: [{ type: 'text', text: 'a' }], usage: value };
        const reading = lane.readAnswer(Buffer.from(JSON.stringify(body)));
        for (const tokens of Object.values(reading.usage ?? {})) {
          expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
        }
        if (reading.usage === undefined) return;
        const {
          inputTokens,
          outputTokens,
          cachedTokens = 0,
          cacheWriteTokens = 0,
          reasoningTokens = 0,
        } = reading.usage;
        expect(cachedTokens + cacheWriteTokens).toBeLessThanOrEqual(inputTokens);
        expect(reasoningTokens).toBeLessThanOrEqual(outputTokens);
      }),
    );
  });
});

test('[148] of a body only the model is edited', () => {
  const body = Buffer.from(
    '{ "x_new" : {"big":12345678901234567890}, "model":"alias","max_tokens" :5, "messages":[{"role":"user","content":"\\u00e9"}] }',
  );
  const peek = anthropicMessagesClient.peek(body);
  expect(peek).toMatchObject({ model: 'alias', stream: false, wantsUsage: true, usageEdit: undefined });
  const edits = { set: new Map([['model', '"claude-opus-4-8"']]), remove: new Set<string>() };
  expect(lane.rewrite(body, peek, edits).toString()).toBe(body.toString().replace('"alias"', '"claude-opus-4-8"'));
});

/** Streams that official clients take from nobody. */
const strangers = ['without-names.sse', 'implied-blocks.sse', 'no-usage.sse'];

test.each(versions)('[151] what the tap lets through is what the official client %s accepts', async (version) => {
  for (const { name, bytes, finished, error } of streams) {
    if (finished !== true || error !== undefined || strangers.includes(name)) continue;
    const looking = lane.tap({ hideUsage: true });
    const passed = framesOf(bytes).filter((frame) => ['content', 'lifecycle'].includes(looking.frame(frame)));
    const { client } = clientOf(version, { body: Buffer.concat(passed), chunkBytes: 50 });
    await expect(client.messages.stream(ask).finalMessage(), name).resolves.toHaveProperty('type', 'message');
  }
});
