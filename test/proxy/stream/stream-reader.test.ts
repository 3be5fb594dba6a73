import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureSignal } from '../../../proxy/canonical/failure.ts';
import { protocols } from '../../../proxy/protocols/registry.ts';
import { serverSentEvents } from '../../../proxy/stream/sse-frames.ts';
import { StreamReader } from '../../../proxy/stream/stream-reader.ts';
import {
  arbitraryFrame,
  commentFrame,
  contentFrame,
  cutAt,
  doneFrame,
  errorFrame,
  evenFrame,
  type Expected,
  finishFrame,
  malformedFrame,
  roleFrame,
} from './frames.ts';

function openReader(onMalformed: () => void = () => undefined): StreamReader {
  const tap = protocols['openai-chat'].passThrough?.tap({ hideUsage: true });
  if (tap === undefined) throw new Error('chat has a tap');
  return new StreamReader(tap, { format: serverSentEvents, headers: { 'x-request-id': 'r1' }, onMalformed });
}

/** What comes of a whole stream, up to its end or the first failure. */
function readAll(chunks: readonly Buffer[]): { passed: string; content: boolean; failure: FailureSignal | undefined } {
  const reader = openReader();
  const bytes: Buffer[] = [];
  let content = false;
  for (const chunk of [...chunks, undefined]) {
    const passage = chunk === undefined ? reader.end('the end') : reader.read(chunk);
    bytes.push(...passage.bytes);
    content ||= passage.content;
    if (passage.failure !== undefined)
      return { passed: Buffer.concat(bytes).toString(), content, failure: passage.failure };
  }
  return { passed: Buffer.concat(bytes).toString(), content, failure: undefined };
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

function expectSame(frames: readonly Expected[], last: string, positions: readonly number[]): void {
  const bytes = Buffer.from(frames.map(({ frame }) => frame).join('') + last);
  const whole = readAll([bytes]);
  expect(whole.passed).toBe(frames.map(({ passed }) => passed).join('') + last);
  expect(readAll(cutAt(bytes, positions))).toEqual(whole);
}

describe('reading a stream', () => {
  it('passes on the same bytes, and comes to the same end, however they are cut', () => {
    const end = fc.constantFrom('', finishFrame, finishFrame + doneFrame);
    fc.assert(
      fc.property(fc.array(arbitraryFrame, { maxLength: 8 }), end, cuts, (frames, last, positions) => {
        expectSame(frames, last, positions);
        expectSame(
          frames,
          last,
          Array.from(frames.keys(), (index) => index * 7),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('drops no byte and passes no hidden one where rests and frames are equally long', () => {
    const halves = fc.array(
      fc.nat({ max: 40 }).map((at) => at * 50),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.array(evenFrame, { minLength: 1, maxLength: 6 }), halves, (frames, positions) => {
        expectSame(frames, '', positions);
      }),
      { numRuns: 500 },
    );
  });

  it('passes a chunk on as it is where all of it is passed on', () => {
    const chunk = Buffer.from(roleFrame + contentFrame('a') + commentFrame);
    expect(openReader().read(chunk).bytes).toEqual([chunk]);
    expect(openReader().read(chunk).bytes[0]).toBe(chunk);
  });

  it('says whether there was content, and keeps what is not yet a frame', () => {
    const reader = openReader();
    const frame = Buffer.from(contentFrame('a'));
    expect(reader.read(Buffer.from(roleFrame))).toMatchObject({ content: false });
    expect(reader.read(frame.subarray(0, 20))).toEqual({ bytes: [], content: false, shown: false, failure: undefined });
    expect(reader.read(frame.subarray(20))).toEqual({ bytes: [frame], content: true, shown: true, failure: undefined });
  });

  it('drops malformed frames, tells of each, and gives up at the third in a row', () => {
    let malformed = 0;
    const reader = openReader(() => (malformed += 1));
    const twice = reader.read(Buffer.from(malformedFrame.repeat(2) + contentFrame('a') + malformedFrame.repeat(2)));
    expect(twice).toMatchObject({ bytes: [Buffer.from(contentFrame('a'))], content: true, failure: undefined });
    const third = reader.read(Buffer.from(malformedFrame + contentFrame('b')));
    expect(third).toMatchObject({ bytes: [], failure: { type: 'invalid', headers: { 'x-request-id': 'r1' } } });
    expect(malformed).toBe(5);
  });

  it('gives what came before an error together with the error, and nothing after it', () => {
    const passage = openReader().read(Buffer.from(contentFrame('a') + errorFrame + contentFrame('b')));
    expect(passage.bytes).toEqual([Buffer.from(contentFrame('a'))]);
    expect(passage).toMatchObject({ content: true, failure: { type: 'frame' } });
  });

  it('takes a line that is too long for no stream', () => {
    const reader = openReader();
    const line = Buffer.alloc(600 * 1024, 'x');
    expect(reader.read(line).failure).toBeUndefined();
    expect(reader.read(line)).toMatchObject({ bytes: [], content: false, failure: { type: 'invalid' } });
  });
});

describe('the end of a stream', () => {
  it('is a cut where the stream has not said that it is complete', () => {
    for (const frames of ['', roleFrame, contentFrame('a')]) {
      expect(readAll([Buffer.from(frames)]).failure).toEqual({ type: 'truncated', cause: 'the end' });
    }
  });

  it('is a cut where the marker of the end comes first, which is not passed on', () => {
    const { passed, failure } = readAll([Buffer.from(`${contentFrame('a')}${doneFrame}`)]);
    expect(passed).toBe(contentFrame('a'));
    expect(failure).toMatchObject({ type: 'truncated' });
  });

  it('[8] completes a last frame that lacks its blank line', () => {
    const bare = finishFrame.trimEnd();
    expect(readAll([Buffer.from(contentFrame('a') + bare)])).toEqual({
      passed: contentFrame('a') + finishFrame.replace(/\n+$/, '\n\n'),
      content: true,
      failure: undefined,
    });
  });

  it('is an error where the last frame is one', () => {
    expect(readAll([Buffer.from(contentFrame('a') + errorFrame.trimEnd())])).toMatchObject({
      passed: contentFrame('a'),
      failure: { type: 'frame' },
    });
  });
});
