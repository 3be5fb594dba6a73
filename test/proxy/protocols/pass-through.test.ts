import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { protocolOf } from '../../../proxy/protocols/registry.ts';
import type { PassThroughProtocol, ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { fixtures, framesOf, streams } from './fixture.ts';

function passThrough(id: ProtocolId): PassThroughProtocol {
  const lane = protocolOf(id).passThrough;
  if (lane === undefined) throw new Error(`${id} is not read`);
  return lane;
}

describe('a tap', () => {
  test.each(streams)('judges $name', ({ protocol, bytes, ...facts }) => {
    for (const size of [bytes.length, 1, 7]) {
      const tap = passThrough(protocol).tap({ hideUsage: true, headers: { 'x-request-id': 'r' } });
      expect(framesOf(bytes, size).map((frame) => tap.frame(frame))).toEqual(facts.verdicts);
      expect(tap.usage).toEqual(facts.usage);
      expect(tap.finished).toBe(facts.finished);
      expect(tap.empty).toBe(facts.empty);
      expect(tap.error?.type).toBe(facts.error);
      if (facts.nextSequence !== undefined) expect(tap.nextSequence).toBe(facts.nextSequence);
      if (tap.error !== undefined) expect(tap.error).toHaveProperty('headers', { 'x-request-id': 'r' });
    }
  });

  test('shows usage to those who asked', () => {
    const { bytes, verdicts } = streams.find(({ name }) => name === 'openai-text.sse')!;
    const tap = passThrough('openai-chat').tap({ hideUsage: false });
    expect(framesOf(bytes).map((frame) => tap.frame(frame))).toEqual(
      verdicts?.map((verdict) => (verdict === 'hidden' ? 'lifecycle' : verdict)),
    );
  });

  test('gives the error frame to the classifier as it came', () => {
    const { bytes } = streams.find(({ name }) => name === 'groq-tool-use-failed.sse')!;
    const tap = passThrough('openai-chat').tap({ hideUsage: true });
    for (const frame of framesOf(bytes)) tap.frame(frame);
    expect(tap.error).toMatchObject({ type: 'frame', event: 'error' });
    expect(tap.error?.type === 'frame' && JSON.parse(tap.error.data)).toMatchObject({
      error: { code: 'tool_use_failed' },
    });
  });

  test('says the same of a frame whatever frames came before', () => {
    const sources = streams.filter(({ protocol }) => protocol !== 'openai-completions');
    const known = fc.constantFrom(...sources).chain((fixture) => {
      const frames = framesOf(fixture.bytes);
      const repeated = fc.tuple(fc.nat(frames.length - 1), fc.nat(), fc.constantFrom(...splices), fc.nat(4));
      return fc.tuple(fc.constant(fixture.protocol), fc.constant(frames), fc.array(repeated, { maxLength: 40 }));
    });
    fc.assert(
      fc.property(known, ([protocol, frames, changes]) => {
        const tap = passThrough(protocol).tap({ hideUsage: true });
        const warm = [...frames, ...frames, ...frames];
        const changed = changes.map(([index, at, text, length]) => splice(frames[index]!, at, text, length));
        for (const frame of [...warm, ...changed]) {
          const alone = passThrough(protocol).tap({ hideUsage: true });
          const verdict = alone.frame(frame);
          expect(tap.frame(frame), frame.toString()).toBe(verdict);
          if (alone.nextSequence > 0 && verdict !== 'error') expect(tap.nextSequence).toBe(alone.nextSequence);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const splices = [
  '',
  '',
  'x',
  '"',
  '\\',
  '\\"',
  '\\n',
  '\\u00e9',
  '\\u00',
  '\t',
  '}',
  '{',
  ',',
  ':',
  '0',
  '9',
  '😀',
  '"a"',
  'null',
];

function splice(frame: Buffer, at: number, text: string, length: number): Buffer {
  // Past `data: ` and before the blank line: what is between frames is the splitter's business.
  const from = Math.min(6 + (at % Math.max(1, frame.length - 8)), frame.length - 2);
  const to = Math.min(from + length, frame.length - 2);
  return Buffer.concat([frame.subarray(0, from), Buffer.from(text), frame.subarray(to)]);
}

describe('a whole answer', () => {
  test.each(fixtures.filter(({ name }) => !name.endsWith('.sse')))('reads $name', (fixture) => {
    const headers = { 'content-type': 'x' };
    const reading = passThrough(fixture.protocol).readAnswer(fixture.bytes, headers);
    expect(reading.usage).toEqual(fixture.usage);
    expect(reading.empty).toBe(fixture.empty);
    if (fixture.signal === undefined) {
      expect(reading.signal).toBeUndefined();
    } else {
      expect(reading.signal).toMatchObject({ type: 'invalid', detail: fixture.signal, headers });
    }
  });

  test('never gives counts that are negative, fractions or not numbers', () => {
    const odd = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null), fc.constant(1e300));
    const names = ['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens', 'total_tokens'];
    const details = fc.oneof(odd, fc.record({ cached_tokens: odd, reasoning_tokens: odd }));
    const usage = fc.oneof(
      odd,
      fc.record(
        Object.fromEntries([
          ...names.map((name) => [name, odd]),
          ...['prompt_tokens_details', 'completion_tokens_details'].map((name) => [name, details]),
        ]) as Record<string, fc.Arbitrary<unknown>>,
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(usage, (value) => {
        const answer = { choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }], usage: value };
        const reading = passThrough('openai-chat').readAnswer(Buffer.from(JSON.stringify(answer)));
        for (const tokens of Object.values(reading.usage ?? {})) {
          expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
        }
        if (reading.usage === undefined) return;
        expect(reading.usage.cachedTokens ?? 0).toBeLessThanOrEqual(reading.usage.inputTokens);
        expect(reading.usage.reasoningTokens ?? 0).toBeLessThanOrEqual(reading.usage.outputTokens);
      }),
    );
  });
});
