import { describe, expect, it } from 'vitest';
import { settled } from '../../support/clock.ts';
import { AnswerRig, timeouts, totalMs } from './answer-rig.ts';
import { contentFrame, doneFrame, errorFrame, finishFrame } from './frames.ts';
import { first, keepAlive, RelayRig } from './relay-rig.ts';

const inBand = 'data: {"error":1}\n\n';
const stop = finishFrame + doneFrame;
/** An answer whose upstream may be silent for long. */
const patient = () =>
  new AnswerRig({ timeouts: { ...timeouts, idleMs: totalMs * 10 }, deadlineAtMs: Infinity }).head().data(first);

describe('relaying an answer', () => {
  it('passes everything on in order, and ends', async () => {
    const { client, upstream, controller, ...rig } = await RelayRig.open();
    upstream.data(contentFrame('a'));
    await settled();
    upstream.data(stop).end();
    await settled();
    expect(client.writes).toEqual([first, contentFrame('a'), stop]);
    expect(client.state).toBe('ended');
    expect(rig.told).toEqual([]);
    controller.abort('client-left');
    expect(upstream.orders).toEqual([]);
  });

  it('says that it is complete, and leaves no timer behind', async () => {
    const rig = await RelayRig.open();
    rig.upstream.data(stop).end();
    await settled();
    expect(rig.end).toEqual({ type: 'complete' });
    expect(rig.upstream.clock.pending).toBe(0);
  });

  it('sends frames that came together in one write', async () => {
    const rig = await RelayRig.open();
    await rig.frames(contentFrame('a'), contentFrame('b'), contentFrame('c'));
    expect(rig.client.writes).toEqual([first, contentFrame('a') + contentFrame('b') + contentFrame('c')]);
  });

  it('relays an answer that ended before anyone took it', async () => {
    const rig = await RelayRig.open(
      {},
      new AnswerRig()
        .head()
        .data(first + stop)
        .end(),
    );
    expect(rig.client.writes.join('')).toBe(first + stop);
    expect(rig.end).toEqual({ type: 'complete' });
  });

  it('tells of an answer that broke before anyone took it', async () => {
    const rig = await RelayRig.open({}, new AnswerRig().head().data(first, errorFrame));
    expect(rig.client.writes.join('')).toBe(first + inBand);
    expect(rig.end).toMatchObject({ type: 'broken', cause: { type: 'frame' } });
  });
});

describe('a slow client', () => {
  it('stops the reading, and its return goes on with it', async () => {
    const rig = await RelayRig.open();
    rig.client.full = true;
    await rig.frames(contentFrame('a'));
    expect(rig.upstream.orders).toEqual(['pause']);
    await rig.frames(contentFrame('on its way'));
    expect(rig.upstream.orders).toEqual(['pause']);
    rig.client.drain();
    expect(rig.upstream.orders).toEqual(['pause', 'resume']);
    await rig.frames(contentFrame('b'));
    expect(rig.client.writes).toEqual([first, contentFrame('a'), contentFrame('on its way'), contentFrame('b')]);
  });

  it('may be slow from the first byte on', async () => {
    const rig = await RelayRig.open({}, undefined, ({ client }) => (client.full = true));
    expect(rig.upstream.orders).toEqual(['pause']);
  });

  it('does not bring an answer back that is over when it returns', async () => {
    const rig = await RelayRig.open();
    rig.client.full = true;
    await rig.frames(contentFrame('a'));
    rig.upstream.data(stop).end();
    await settled();
    rig.client.drain();
    expect(rig.end).toEqual({ type: 'complete' });
    expect(rig.upstream.orders).toEqual(['pause']);
  });
});

describe('keep-alives', () => {
  it('go out after every 15 s of silence, and not before', async () => {
    const rig = await RelayRig.open({}, patient());
    const { clock } = rig.upstream;
    for (let count = 0; count < 3; count += 1) {
      clock.turn(14_999);
      await settled();
      expect(rig.client.writes).toHaveLength(1 + count);
      clock.turn(1);
      await settled();
      expect(rig.client.writes.at(-1)).toBe(keepAlive.toString());
    }
  });

  it('are put off by every write', async () => {
    const rig = await RelayRig.open({}, patient());
    const { clock } = rig.upstream;
    for (let count = 0; count < 4; count += 1) {
      clock.turn(14_000);
      await rig.frames(contentFrame('a'));
    }
    clock.turn(14_999);
    await settled();
    expect(rig.client.writes).not.toContain(keepAlive.toString());
    clock.turn(1);
    await settled();
    expect(rig.client.writes.at(-1)).toBe(keepAlive.toString());
  });

  it('stand only between frames, whatever part of one has come', async () => {
    const rig = await RelayRig.open({}, patient());
    const frame = contentFrame('a');
    await rig.frames(frame.slice(0, 25));
    rig.upstream.clock.turn(15_000);
    await settled();
    await rig.frames(frame.slice(25));
    expect(rig.client.writes).toEqual([first, keepAlive.toString(), frame]);
  });

  it('never go to a client that is slow', async () => {
    const rig = await RelayRig.open({}, patient());
    rig.client.full = true;
    await rig.frames(contentFrame('a'));
    rig.upstream.clock.turn(100_000);
    await settled();
    expect(rig.client.writes).not.toContain(keepAlive.toString());
    rig.client.drain();
    rig.upstream.clock.turn(15_000);
    await settled();
    expect(rig.client.writes.at(-1)).toBe(keepAlive.toString());
  });

  it('are left out where the answer has no frames, or the protocol no keep-alive', async () => {
    const opaque = new AnswerRig({ stream: false, protocol: undefined, deadlineAtMs: Infinity }).json().data('x');
    for (const rig of [await RelayRig.open({}, opaque), await RelayRig.open({ keepAlive: undefined }, patient())]) {
      rig.upstream.clock.turn(2_000);
      expect(rig.upstream.clock.pending).toBe(1);
      expect(rig.client.writes).toHaveLength(1);
    }
  });
});

describe('an answer that breaks', () => {
  it('is followed by the error, after the last whole frame and in the same write', async () => {
    const rig = await RelayRig.open();
    rig.upstream.data(contentFrame('a'), contentFrame('cut').slice(0, 30)).reset();
    await settled();
    expect(rig.client.writes).toEqual([first, contentFrame('a') + inBand]);
    expect(rig.client.state).toBe('ended');
    expect(rig.end).toMatchObject({ type: 'broken', cause: { type: 'truncated' } });
    expect(rig.told).toMatchObject([{ type: 'truncated' }]);
  });

  it('is followed by the error also where time breaks it', async () => {
    const idle = await RelayRig.open();
    idle.upstream.clock.turn(timeouts.idleMs);
    const deadline = await RelayRig.open({}, new AnswerRig({ deadlineAtMs: 0 }).head().data(first));
    deadline.upstream.clock.turn(1);
    await settled();
    expect(idle.told).toMatchObject([{ type: 'transport', fault: 'idle-timeout' }]);
    expect(deadline.told).toEqual(['deadline']);
    for (const { client } of [idle, deadline]) expect(client.writes).toEqual([first, inBand]);
  });

  it('cuts the connection after the last bytes where the protocol cannot say it', async () => {
    const rig = await RelayRig.open({ inBandError: () => undefined });
    rig.upstream.data(contentFrame('a')).reset();
    await settled();
    expect(rig.client.writes).toEqual([first, contentFrame('a')]);
    expect(rig.client.state).toBe('destroyed');
  });
});

describe('an aborted exchange', () => {
  it('stops the upstream, tells a client that left nothing, and cuts its connection once', async () => {
    const rig = await RelayRig.open();
    const { client } = rig;
    rig.controller.abort('client-left');
    await settled();
    expect(rig.upstream.orders).toEqual(['abort']);
    expect(rig.end).toEqual({ type: 'aborted', reason: 'client-left' });
    expect(rig.told).toEqual([]);
    expect(client.writes).toEqual([first]);
    await rig.frames(contentFrame('late'));
    expect(client.writes).toEqual([first]);
    expect(rig.upstream.clock.pending).toBe(0);
  });

  it('tells the client of a drain in-band, after what was still to be written', async () => {
    const rig = await RelayRig.open();
    rig.upstream.data(contentFrame('a'));
    rig.controller.abort('drain-deadline');
    await settled();
    expect(rig.client.writes).toEqual([first, contentFrame('a') + inBand]);
    expect(rig.told).toEqual(['draining']);
    expect(rig.client.state).toBe('ended');
    expect(rig.end).toEqual({ type: 'aborted', reason: 'drain-deadline' });
  });

  it('may have been aborted before the relaying began', async () => {
    const rig = await RelayRig.open({}, undefined, ({ controller }) => controller.abort('client-left'));
    expect(rig.client.writes).toEqual([]);
    expect(rig.end).toEqual({ type: 'aborted', reason: 'client-left' });
    expect(rig.upstream.orders).toEqual(['abort']);
  });
});
