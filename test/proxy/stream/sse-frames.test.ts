import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readSseEvent } from '../../../proxy/protocols/sse-event.ts';
import { cpuMs } from '../protocols/cpu-time.ts';
import { FrameOverflowError, SseFrames } from '../../../proxy/stream/sse-frames.ts';

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [...new Set(at.map((position) => position % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

function split(chunks: readonly Buffer[]): string[] {
  const frames = new SseFrames();
  const result = chunks.flatMap((chunk) => frames.push(chunk));
  const rest = frames.flush();
  expect(frames.heldBytes).toBe(0);
  // The blank line that it lacked was not in what came.
  return [...result, ...(rest ? [rest.subarray(0, -2)] : [])].map((frame) => frame.toString());
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom(
    'data: {"a":"é😀"}',
    'data:x',
    'data',
    'data:',
    'data:  two',
    ': keep-alive',
    ':',
    'event: ping',
    'event',
    'event:',
    'id: 1',
    'retry: 9',
    'nonsense: x',
    ' data: x',
  ),
  fc.string({ maxLength: 8 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
);
const stream = fc
  .tuple(
    fc.constantFrom('', '\u{feff}'),
    fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }),
    fc.constantFrom('', 'data: cut'),
  )
  .map(([mark, lines, rest]) => mark + lines.map(([text, end]) => text + end).join('') + rest);
const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe('SseFrames', () => {
  test('[1] [3] gives the same frames however the bytes are cut, and loses none', () => {
    fc.assert(
      fc.property(stream, cuts, (text, positions) => {
        const bytes = Buffer.from(text);
        const whole = split([bytes]);
        expect(whole.join('')).toBe(text);
        expect(split(cut(bytes, positions))).toEqual(whole);
        expect(split(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('[3] [4] gives frames that say what eventsource-parser hears', () => {
    fc.assert(
      fc.property(stream, cuts, (text, positions) => {
        const heard: EventSourceMessage[] = [];
        const parser = createParser({ onEvent: (message) => heard.push(message) });
        parser.feed(`${text}\n\n`);
        const frames = split(cut(Buffer.from(`${text}\n\n`), positions));
        const said = frames
          .map((frame) => readSseEvent(Buffer.from(frame)))
          .filter((event) => event.data !== undefined);
        expect(said).toEqual(heard.map((message) => ({ event: message.event, data: message.data })));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [['data: a\n\ndata: b\n\n'], ['data: a\n\n', 'data: b\n\n']],
    [['data: a\r\n\r\ndata: b\r\n\r\n'], ['data: a\r\n\r\n', 'data: b\r\n\r\n']],
    [['data: a\r\rdata: b\r\r'], ['data: a\r\r', 'data: b\r\r']],
    [
      ['data: a\r\n\r', '\ndata: b\n\n'],
      ['data: a\r\n\r\n', 'data: b\n\n'],
    ],
    [['data: a\r', 'data: b\r', '\n', '\r\n'], ['data: a\rdata: b\r\n\r\n']],
    [
      ['\n\n', ': hello\n\n', 'data: a\n\n'],
      ['\n', '\n', ': hello\n\n', 'data: a\n\n'],
    ],
    [['\u{feff}\ndata: a\n\n'], ['\u{feff}\n', 'data: a\n\n']],
    [['data: a\n'], ['data: a\n']],
    [['', ''], []],
  ])('cuts %j into %j', (chunks, frames) => {
    expect(split(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(frames);
  });

  test('copies nothing when a chunk holds whole frames', () => {
    const chunk = Buffer.from('data: a\n\ndata: b\n\n');
    for (const frame of new SseFrames().push(chunk)) expect(frame.buffer).toBe(chunk.buffer);
  });

  test('refuses a line of more than 1 MiB and a frame of more than 4 MiB', () => {
    const line = Buffer.alloc(64 * 1024, 'x');
    const endless = new SseFrames();
    expect(() => {
      for (let count = 0; count < 17; count++) endless.push(line);
    }).toThrow(FrameOverflowError);
    expect(endless.heldBytes).toBeLessThanOrEqual(1024 * 1024);

    const manyLines = new SseFrames();
    const lines = Buffer.from('data: x\n'.repeat(8 * 1024));
    expect(() => {
      for (let count = 0; count < 65; count++) manyLines.push(lines);
    }).toThrow(FrameOverflowError);
    expect(new SseFrames().push(Buffer.from(`data: ${'x'.repeat(1024 * 1024 - 6)}\n\n`))).toHaveLength(1);
  });

  test('takes time in proportion to the bytes of a frame that trickles in', () => {
    const frames = new SseFrames();
    const byte = Buffer.from('x');
    const spent = cpuMs(() => {
      for (let count = 0; count < 500_000; count++) frames.push(byte);
      expect(frames.push(Buffer.from('\n\n'))[0]).toHaveLength(500_002);
    });
    expect(spent).toBeLessThan(1000);
  });
});
