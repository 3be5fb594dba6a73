import { describe, expect, it } from 'vitest';
import { AnswerRig, timeouts, totalMs } from './answer-rig.ts';
import { commentFrame, contentFrame, doneFrame, finishFrame, roleFrame } from './frames.ts';

const { firstContentMs, responseMs, idleMs } = timeouts;

function timedOut(fault: string): object {
  return { type: 'failed', signal: { type: 'transport', fault, cause: undefined }, staleSocket: false };
}

/** Whether the outcome comes exactly after so long. */
async function expectAfter(rig: AnswerRig, waitMs: number, outcome: object): Promise<void> {
  rig.clock.turn(waitMs - 1);
  expect((await rig.follow()).outcome).toBeUndefined();
  rig.clock.turn(1);
  expect((await rig.follow()).outcome).toEqual(outcome);
  expect(rig.orders).toEqual(['abort']);
  expect(rig.clock.pending).toBe(0);
}

/** Whether a committed answer breaks exactly after so long. */
function expectBreakAfter(rig: AnswerRig, waitMs: number, cause: object | string): void {
  rig.clock.turn(waitMs - 1);
  expect(rig.ended).toBeUndefined();
  rig.clock.turn(1);
  expect(rig.ended).toEqual(cause);
  expect(rig.orders.at(-1)).toBe('abort');
  expect(rig.clock.pending).toBe(0);
}

const idle = { type: 'transport', fault: 'idle-timeout', cause: undefined };

describe('the deadline of a stream', () => {
  it('before its head is that of the first content', async () => {
    await expectAfter(new AnswerRig(), firstContentMs, timedOut('headers-timeout'));
  });

  it('before its first content is not moved by a head, by frames without content, or by comments', async () => {
    const rig = new AnswerRig();
    rig.clock.turn(firstContentMs - 1000);
    rig.head().data(roleFrame);
    rig.clock.turn(500);
    rig.data(commentFrame);
    await expectAfter(rig, 500, timedOut('content-timeout'));
  });

  it('is the idle time from content to content', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    for (let count = 0; count < 5; count += 1) {
      rig.clock.turn(idleMs - 1);
      rig.data(contentFrame('b'));
    }
    expectBreakAfter(rig, idleMs, idle);
  });

  it('is not moved after content by frames without content', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    rig.clock.turn(idleMs - 10);
    rig.data(roleFrame, commentFrame);
    expectBreakAfter(rig, 10, idle);
  });

  it('comes soon after a first content that came late', async () => {
    const rig = new AnswerRig().head();
    rig.clock.turn(firstContentMs - 1);
    await rig.data(contentFrame('a')).follow();
    expectBreakAfter(rig, idleMs, idle);
  });

  it('ends well where all has been said and only the connection stays open', async () => {
    const rig = await new AnswerRig()
      .head()
      .data(contentFrame('a') + finishFrame + doneFrame)
      .follow();
    expectBreakAfter(rig, idleMs, 'end');
  });
});

describe('the deadline of an answer that is no stream', () => {
  it('before its head is the response time', async () => {
    await expectAfter(new AnswerRig({ stream: false }), responseMs, timedOut('headers-timeout'));
  });

  it('after its head is the idle time from byte to byte', async () => {
    const rig = new AnswerRig({ stream: false });
    rig.clock.turn(responseMs - 1);
    rig.json();
    for (let count = 0; count < 5; count += 1) {
      rig.clock.turn(idleMs - 1);
      rig.data(' ');
    }
    await expectAfter(rig, idleMs, timedOut('idle-timeout'));
  });

  it('goes on counting beyond 8 MiB, and where nobody looks at the bytes', async () => {
    const large = await new AnswerRig({ stream: false })
      .json()
      .data(Buffer.alloc(9 * 1024 * 1024))
      .follow();
    const opaque = await new AnswerRig({ stream: false, protocol: undefined }).json().data('x').follow();
    for (const rig of [large, opaque]) {
      rig.clock.turn(idleMs - 1);
      rig.data('y');
      expectBreakAfter(rig, idleMs, idle);
    }
  });
});

describe('the time of an error to explain itself', () => {
  const said = { type: 'failed', staleSocket: false };

  it('is five seconds from its head, however busily it talks', async () => {
    const rig = new AnswerRig({ timeouts: { ...timeouts, idleMs: 60_000 } }).json(500).data('{"error":');
    rig.clock.turn(5_000);
    await rig.follow();
    expect(rig.outcome).toMatchObject({ ...said, signal: { type: 'answer', status: 500, body: '{"error":' } });
    expect(rig.orders).toContain('abort');
  });

  it('is the idle time where that is shorter', async () => {
    const rig = new AnswerRig().json(503);
    rig.clock.turn(idleMs);
    expect((await rig.follow()).outcome).toMatchObject({ ...said, signal: { type: 'answer', status: 503, body: '' } });
  });

  it('does not outlive the whole request', async () => {
    const rig = new AnswerRig({ stream: false, timeouts: { ...timeouts, responseMs: totalMs } });
    rig.clock.turn(totalMs - 10);
    rig.json(500).clock.turn(10);
    expect((await rig.follow()).outcome).toEqual({ type: 'deadline' });
  });
});

describe('the time for the whole request', () => {
  it('ends an attempt before content', async () => {
    const rig = new AnswerRig({ timeouts: { ...timeouts, firstContentMs: totalMs * 2 } });
    await expectAfter(rig, totalMs, { type: 'deadline' });
  });

  it('is what is left of it when an attempt begins', async () => {
    const rig = new AnswerRig();
    const late = new AnswerRig({ clock: rig.clock, deadlineAtMs: rig.clock.now() + 700 });
    rig.clock.turn(700);
    expect((await late.follow()).outcome).toEqual({ type: 'deadline' });
  });

  it('ends an answer after content, however busy it is', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    for (let atMs = 0; atMs < totalMs - idleMs; atMs += idleMs - 1) {
      rig.clock.turn(idleMs - 1);
      rig.data(contentFrame('b'));
    }
    rig.clock.turn(idleMs - 1);
    rig.data(contentFrame('c')).clock.turn(idleMs - 1);
    expect(rig.ended).toBe('deadline');
  });
});

describe('a slow client', () => {
  it('costs the upstream no time, and the idle time begins anew with its return', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    rig.clock.turn(idleMs - 1);
    rig.answer.pause();
    rig.clock.turn(10 * idleMs);
    expect(rig.ended).toBeUndefined();
    rig.answer.resume();
    expect(rig.orders).toEqual(['pause', 'resume']);
    expectBreakAfter(rig, idleMs, idle);
  });

  it('costs the upstream no time either where bytes come that were on their way', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    rig.answer.pause();
    rig.data(contentFrame('b')).clock.turn(10 * idleMs);
    expect(rig.ended).toBeUndefined();
  });

  it('does not stop the time for the whole request', async () => {
    const rig = await new AnswerRig().head().data(contentFrame('a')).follow();
    rig.answer.pause();
    expectBreakAfter(rig, totalMs, 'deadline');
  });
});
