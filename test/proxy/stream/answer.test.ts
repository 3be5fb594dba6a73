import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerProtocol } from '../../../proxy/protocols/protocol.ts';
import { soon } from '../../support/soon.ts';
import { AnswerRig } from './answer-rig.ts';
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
  usageFrame,
} from './frames.ts';

const stop = finishFrame + doneFrame;
const failed = (signal: object) => ({ type: 'failed', signal, staleSocket: false });

/** Gives an answer the chunks of a stream, and takes it as a client does. */
async function play(chunks: readonly Buffer[]): Promise<AnswerRig> {
  const rig = new AnswerRig().head();
  for (const chunk of chunks) await rig.data(chunk).follow();
  return rig.end().follow();
}

describe('a streamed answer', () => {
  it('is committed with its first content, and all that was held goes out in one piece', async () => {
    const rig = await new AnswerRig().head().data(roleFrame, commentFrame).follow();
    expect(rig.outcome).toBeUndefined();
    rig.clock.turn(500);
    await rig.data(contentFrame('a')).follow();
    expect(rig.outcome).toEqual({ type: 'committed' });
    expect(rig.answer.firstContentAtMs).toBe(rig.clock.now());
    expect(rig.chunks.map(String)).toEqual([roleFrame + commentFrame + contentFrame('a')]);
    rig.data(contentFrame('b')).data(stop).end();
    expect(rig.chunks.map(String).slice(1)).toEqual([contentFrame('b'), stop]);
    expect(rig.ended).toBe('end');
  });

  it('gives the same bytes and the same outcome however the bytes are cut', async () => {
    const frames = fc.oneof(fc.array(arbitraryFrame, { maxLength: 6 }), fc.array(evenFrame, { maxLength: 6 }));
    const cuts = fc.array(fc.nat(), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(frames, fc.constantFrom('', stop), cuts, async (given, last, positions) => {
        const bytes = Buffer.from(given.map(({ frame }) => frame).join('') + last);
        const [whole, parts] = [await play([bytes]), await play(cutAt(bytes, positions))];
        const story = ({ outcome, ended, received }: AnswerRig) => ({ outcome, ended, received });
        expect(story(parts)).toEqual(story(whole));
        if (parts.outcome?.type === 'committed') expect(parts.received).toBe(passedOf(given) + last);
      }),
      { numRuns: 150 },
    );
  });

  it('that breaks never gives a client anything but what came before, or nothing at all', async () => {
    const frames = fc.array(arbitraryFrame, { maxLength: 5 });
    const breaks = fc.constantFrom(errorFrame, malformedFrame.repeat(3));
    await fc.assert(
      fc.asyncProperty(frames, breaks, fc.array(fc.nat(), { maxLength: 8 }), async (given, broken, positions) => {
        const bytes = Buffer.from(given.map(({ frame }) => frame).join('') + broken + contentFrame('late') + stop);
        const rig = await play(cutAt(bytes, positions));
        const signal = { type: broken === errorFrame ? 'frame' : 'invalid' };
        if (rig.outcome?.type === 'committed') {
          expect(rig.received).toBe(passedOf(given));
          expect(rig.ended).toMatchObject(signal);
        } else {
          expect(rig.outcome).toMatchObject(failed(signal));
          expect(rig.chunks).toEqual([]);
        }
        expect(rig.orders).toContain('abort');
      }),
      { numRuns: 150 },
    );
  });

  it('fails by an error frame before content, and by one in the chunk of the first content', async () => {
    for (const before of ['', roleFrame, roleFrame + contentFrame('a')]) {
      const rig = await new AnswerRig()
        .head()
        .data(before + errorFrame)
        .follow();
      expect(rig.outcome).toMatchObject(failed({ type: 'frame', data: expect.stringContaining('it broke') as string }));
      expect(rig.orders).toEqual(['abort']);
    }
  });

  it('passes on the content that stands before an error in the same chunk, once there was content before', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    rig.data(contentFrame('b') + errorFrame + contentFrame('c'));
    expect(rig.received).toBe(contentFrame('a') + contentFrame('b'));
    expect(rig.ended).toMatchObject({ type: 'frame' });
    expect(rig.orders).toEqual(['abort']);
  });

  it('hides usage that the client did not ask for, and still counts it', async () => {
    const shown = await play([Buffer.from(contentFrame('a') + usageFrame + stop)]);
    expect(shown.received).toBe(contentFrame('a') + stop);
    expect(shown.answer.usage).toEqual({ inputTokens: 3, outputTokens: 2 });
    const asked = await new AnswerRig({ hideUsage: false })
      .head()
      .data(contentFrame('a') + usageFrame)
      .follow();
    expect(asked.received).toBe(contentFrame('a') + usageFrame);
  });

  it('drops malformed frames and tells of each; the third in a row breaks it', async () => {
    const rig = await new AnswerRig().head().data(malformedFrame.repeat(2), contentFrame('a')).follow();
    expect(rig.received).toBe(contentFrame('a'));
    rig.data(malformedFrame, malformedFrame).data(malformedFrame + contentFrame('b'));
    expect(rig.received).toBe(contentFrame('a'));
    expect(rig.ended).toMatchObject({ type: 'invalid' });
    expect(rig.malformed).toBe(5);
  });

  it('is empty where it ends without having said anything, and can still be relayed', async () => {
    const rig = await new AnswerRig()
      .head()
      .data(roleFrame + stop)
      .end()
      .follow();
    expect(rig.outcome).toMatchObject({ type: 'empty', signal: { type: 'invalid' } });
    rig.attach();
    expect(rig.received).toBe(roleFrame + stop);
    expect(rig.ended).toBe('end');
  });

  it('is cut where it ends, or breaks, before it is complete', async () => {
    for (const end of ['end', 'reset'] as const) {
      const before = await new AnswerRig().head().data(roleFrame)[end]().follow();
      expect(before.outcome).toMatchObject(failed({ type: 'truncated' }));
      const after = await new AnswerRig().head().data(contentFrame('a')).follow();
      await after[end]().follow();
      expect(after.ended).toMatchObject({ type: 'truncated' });
    }
  });

  it('is whole where the connection breaks after its last frame', async () => {
    const rig = await new AnswerRig()
      .head()
      .data(contentFrame('a') + stop)
      .follow();
    rig.reset();
    expect(rig.ended).toBe('end');
  });

  it('fails where it goes on and on without content', async () => {
    const rig = new AnswerRig().head();
    const comment = `: ${'x'.repeat(64 * 1024)}\n\n`;
    for (let count = 0; count < 15; count += 1) rig.data(comment);
    expect((await rig.follow()).outcome).toBeUndefined();
    await rig.data(comment, comment).follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'invalid', detail: 'too many frames without content' }));
    expect(rig.orders).toEqual(['abort']);
  });

  it('fails where a fault of ours keeps it from being read', async () => {
    const protocol: AnswerProtocol = {
      readAnswer: () => ({ usage: undefined, signal: undefined, empty: true }),
      tap() {
        throw new Error('a fault');
      },
    };
    const rig = new AnswerRig({ protocol });
    expect(() => rig.head()).toThrow('a fault');
    await rig.reset().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'truncated' }));
  });

  it('fails where the upstream answers with JSON instead', async () => {
    const body = JSON.stringify({ choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] });
    const rig = await new AnswerRig().json().data(body).end().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'invalid', body }));
  });
});

describe('an answer of any kind', () => {
  it('fails with what the transport says before its head, and tells of a stale socket', async () => {
    const rig = await new AnswerRig().reset(true).follow();
    const signal = { type: 'transport', fault: 'reset', cause: 'the test' };
    expect(rig.outcome).toEqual({ type: 'failed', signal, staleSocket: true });
  });

  it('fails where its connection ends before its head', async () => {
    expect((await new AnswerRig().end().follow()).outcome).toMatchObject(failed({ type: 'invalid' }));
  });

  it('fails with the words of an error status, whole, cut, or longer than anyone reads', async () => {
    const whole = await new AnswerRig().json(500).data('{"error":', '"oh"}').end().follow();
    expect(whole.outcome).toMatchObject(failed({ type: 'answer', status: 500, body: '{"error":"oh"}' }));
    const cut = await new AnswerRig().json(429).data('{"err').reset().follow();
    expect(cut.outcome).toMatchObject(failed({ type: 'answer', status: 429, body: '{"err' }));
    const long = await new AnswerRig().json(500).data(Buffer.alloc(40_000, 'a'), Buffer.alloc(40_000, 'b')).follow();
    expect(long.outcome).toMatchObject(failed({ type: 'answer', body: 'a'.repeat(40_000) + 'b'.repeat(25_536) }));
    expect(long.orders).toEqual(['abort']);
  });

  it.each([199, 300, 302, 404, 503])('takes the status %i for a failure', async (status) => {
    const rig = await new AnswerRig().head({ 'content-type': 'text/event-stream' }, status).data('x').end().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'answer', status, body: 'x' }));
  });

  it('takes a success for a failure where the route says so', async () => {
    const rig = await new AnswerRig({ isFailure: (status) => status === 202 }).json(202).data('{}').end().follow();
    expect(rig.outcome).toMatchObject(failed({ type: 'answer', status: 202 }));
  });

  it('is aborted once, before or after its head, and then hears nothing more', async () => {
    for (const rig of [new AnswerRig(), new AnswerRig().head().data(roleFrame)]) {
      rig.answer.abort();
      rig.head().data(contentFrame('a'), errorFrame).end().reset();
      expect((await rig.follow()).outcome).toEqual({ type: 'aborted' });
      expect(rig.orders).toEqual(['abort']);
      expect(rig.clock.pending).toBe(0);
    }
  });

  it('stops a request that it learns of too late', async () => {
    const rig = new AnswerRig();
    rig.answer.abort();
    let stopped = 0;
    rig.answer.source = { abort: () => (stopped += 1), pause: () => undefined, resume: () => undefined };
    expect(stopped).toBe(1);
  });
});

describe('a compressed answer', () => {
  const encodings = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;
  const eventStream = { 'content-type': 'text/event-stream' };

  it.each(Object.entries(encodings))('is read as if it were not: %s', async (encoding, compress) => {
    const frames = Buffer.from(roleFrame + contentFrame('a') + contentFrame('é😀') + usageFrame + stop);
    const compressed = compress(frames);
    for (const size of [1, 7, compressed.length]) {
      const rig = new AnswerRig().head({ ...eventStream, 'content-encoding': encoding });
      for (let at = 0; at < compressed.length; at += size) rig.data(compressed.subarray(at, at + size));
      rig.end();
      await rig.answer.outcome;
      rig.attach();
      await soon(() => rig.ended).toBe('end');
      expect(rig.received).toBe(roleFrame + contentFrame('a') + contentFrame('é😀') + stop);
    }
  });

  it('explains its failure as well as any other', async () => {
    const rig = new AnswerRig().head({ 'content-encoding': 'gzip' }, 400).data(gzipSync('no such thing')).end();
    expect(await rig.answer.outcome).toMatchObject(failed({ type: 'answer', status: 400, body: 'no such thing' }));
  });

  it('is cut where its bytes are not what they should be', async () => {
    const rig = new AnswerRig().head({ ...eventStream, 'content-encoding': 'gzip' }).data('this is no gzip');
    expect(await rig.answer.outcome).toMatchObject(failed({ type: 'truncated' }));
  });

  it.each(['zstd', 'gzip, gzip', 'gzip,br', 'constructor'])(
    'is invalid where it is compressed by %s',
    async (encoding) => {
      const rig = await new AnswerRig().head({ ...eventStream, 'content-encoding': encoding }).follow();
      expect(rig.outcome).toMatchObject(failed({ type: 'invalid' }));
      expect(rig.orders).toEqual(['abort']);
    },
  );

  it('does not grow while the client is slow', async () => {
    const size = 16 * 1024 * 1024;
    const comment = `: ${'x'.repeat(4092)}\n\n`;
    const bomb = gzipSync(Buffer.concat([Buffer.from(contentFrame('a')), Buffer.alloc(size, comment)]));
    const rig = new AnswerRig().head({ ...eventStream, 'content-encoding': 'gzip' }).data(bomb);
    await rig.answer.outcome;
    rig.attach();
    rig.answer.pause();
    const before = rig.receivedBytes;
    await delay(100);
    expect(rig.receivedBytes - before).toBeLessThan(256 * 1024);
    rig.answer.resume();
    await soon(() => rig.receivedBytes).toBeGreaterThan(size);
  });
});

function passedOf(frames: readonly Expected[]): string {
  return frames.map(({ passed }) => passed).join('');
}
