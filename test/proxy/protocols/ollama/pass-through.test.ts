import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { NdjsonFrames } from '../../../../proxy/protocols/ndjson-frames.ts';
import { ollamaChatClient } from '../../../../proxy/protocols/ollama/client.ts';
import { answers, linesOf, passThroughs, streams } from './fixture.ts';

describe('lines', () => {
  const piece = fc.constantFrom('{"a":1}', '\n', '\r\n', ' ', '"\\n"', '😀', 'ü', '');

  test('are the same however the bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(piece), cuts, (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join(''));
        const frames = new NdjsonFrames();
        const cut: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          cut.push(...frames.push(bytes.subarray(at, at + size)));
          at += size;
        }
        const rest = frames.flush();
        const all = rest === undefined ? cut : [...cut, rest];
        expect(all).toEqual(linesOf(bytes));
        const text = bytes.toString();
        expect(Buffer.concat(all).toString()).toBe(text === '' || text.endsWith('\n') ? text : `${text}\n`);
        expect(all.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
        expect(frames.heldBytes).toBe(0);
      }),
    );
  });

  test('are held back until they end, and counted', () => {
    const frames = new NdjsonFrames();
    expect(frames.push(Buffer.from('{"a"'))).toEqual([]);
    expect(frames.heldBytes).toBe(4);
    expect(frames.push(Buffer.from(':1}\n\n{')).map(String)).toEqual(['{"a":1}\n', '\n']);
    expect(frames.heldBytes).toBe(1);
    expect(frames.flush()?.toString()).toBe('{\n');
    expect(frames.flush()).toBeUndefined();
  });

  test('that do not end are an error, in one piece or many', () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const frames = new NdjsonFrames();
    for (let count = 0; count < 4; count++) frames.push(megabyte);
    expect(() => frames.push(Buffer.from('x'))).toThrow('longer than');
    expect(() => new NdjsonFrames().push(Buffer.alloc(5 * 1024 * 1024, 'x'))).toThrow('longer than');
  });
});

describe('a tap', () => {
  test.each(streams)('judges $name', ({ protocol, bytes, ...facts }) => {
    for (const size of [bytes.length, 1, 7]) {
      const tap = passThroughs[protocol].tap({ hideUsage: true, headers: { 'x-request-id': 'r' } });
      expect(linesOf(bytes, size).map((line) => tap.frame(line))).toEqual(facts.verdicts);
      expect(tap.usage).toEqual(facts.usage);
      expect(tap.finished).toBe(facts.finished);
      expect(tap.done).toBe(facts.finished);
      expect(tap.empty).toBe(facts.empty);
      expect(tap.error?.type).toBe(facts.error);
      if (tap.error !== undefined) expect(tap.error).toHaveProperty('headers', { 'x-request-id': 'r' });
    }
  });

  test('gives the error line to the classifier as it came', () => {
    const tap = passThroughs['ollama-chat'].tap({ hideUsage: false });
    tap.frame(Buffer.from('{"error":"model overloaded"}\n'));
    expect(tap.error).toEqual({ type: 'frame', event: undefined, data: '{"error":"model overloaded"}', headers: {} });
  });
});

describe('a whole answer', () => {
  test.each(answers)('reads $name', (fixture) => {
    const headers = { 'content-type': 'x' };
    const reading = passThroughs[fixture.protocol].readAnswer(fixture.bytes, headers);
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
    fc.assert(
      fc.property(odd, odd, (input, output) => {
        const answer = { message: { content: 'a' }, done: true, prompt_eval_count: input, eval_count: output };
        const { usage } = passThroughs['ollama-chat'].readAnswer(Buffer.from(JSON.stringify(answer)));
        expect(Object.values(usage!).every((tokens) => Number.isInteger(tokens) && tokens >= 0)).toBe(true);
      }),
    );
  });
});

test('a request keeps every byte but those of the model', () => {
  const body = Buffer.from('{ "model" : "a", "messages":[], "options":{"seed":12345678901234567890}, "x_new": 1.0 }');
  const peek = ollamaChatClient.peek(body);
  const edits = { set: new Map([['model', '"b"']]), remove: new Set<string>() };
  expect(passThroughs['ollama-chat'].rewrite(body, peek, edits).toString()).toBe(
    '{ "model" : "b", "messages":[], "options":{"seed":12345678901234567890}, "x_new": 1.0 }',
  );
});
