import { describe, expect, test } from 'vitest';
import { type LoadSample, OverloadGuard, type OverloadLimits, shedReasons } from '../../../proxy/ingress/overload.ts';

const limits: OverloadLimits = { requestsMax: 100, loopDelayMeanMsMax: 50, memoryShareMax: 0.85 };
const calm: LoadSample = {
  loopDelayMeanMs: 1,
  loopDelayMaxMs: 5,
  loopUtilization: 0.4,
  heapShare: 0.3,
  memoryShare: 0.3,
};
const late: LoadSample = { ...calm, loopUtilization: 1, loopDelayMeanMs: 60, loopDelayMaxMs: 90 };

/** A guard that has seen so many samples of one kind. */
function guardAfter(load: LoadSample, samples: number, differs: Partial<OverloadLimits> = {}): OverloadGuard {
  const guard = new OverloadGuard({ ...limits, ...differs });
  feed(guard, load, samples);
  return guard;
}

function feed(guard: OverloadGuard, load: LoadSample, samples: number): void {
  for (let count = 0; count < samples; count += 1) guard.sample(load);
}

/** Of a thousand requests, how many are shed for each reason. */
function shedOf(guard: OverloadGuard): Record<string, number> {
  const shed: Record<string, number> = {};
  for (let count = 0; count < 1000; count += 1) {
    const reason = guard.shed(1);
    if (reason !== undefined) shed[reason] = (shed[reason] ?? 0) + 1;
  }
  return shed;
}

describe('nothing is shed', () => {
  test.each([
    ['before anything was measured', calm, 0],
    ['of a process that is well', calm, 100],
    ['of a busy one that is in time', { ...calm, loopUtilization: 1, loopDelayMeanMs: 45 }, 100],
    ['of a late one that rests: something else has the processor', { ...late, loopUtilization: 0.9 }, 100],
    ['before a whole second was bad', late, 9],
  ])('%s', (_, load, samples) => {
    expect(shedOf(guardAfter(load, samples))).toEqual({});
  });

  test('for turns of 200 ms in one second', () => {
    const guard = guardAfter(calm, 0);
    const stalled = { ...calm, loopUtilization: 1, loopDelayMaxMs: 250, loopDelayMeanMs: 30 };
    feed(guard, stalled, 10);
    feed(guard, calm, 10);
    feed(guard, stalled, 10);
    expect(shedOf(guard)).toEqual({});
  });

  test('for want of what is not looked at', () => {
    const everything = { ...late, heapShare: 1, memoryShare: 1 };
    const guard = guardAfter(everything, 100, { requestsMax: 0, loopDelayMeanMsMax: 0, memoryShareMax: 0 });
    expect(guard.shed(1_000_000)).toBeUndefined();
    expect(shedOf(guard)).toEqual({});
  });
});

describe('new requests are shed', () => {
  test('when as many are in flight as may be', () => {
    const guard = guardAfter(calm, 10);
    expect(guard.shed(99)).toBeUndefined();
    expect(guard.shed(100)).toBe('requests');
    expect(guard.report().shed).toEqual({ requests: 1, 'event-loop': 0, heap: 0, memory: 0 });
  });

  test('a quarter of them after a second in which the event loop was late and never rested', () => {
    expect(shedOf(guardAfter(late, 10))).toEqual({ 'event-loop': 250 });
  });

  test('after two seconds with a turn of more than 200 ms each', () => {
    const guard = guardAfter(calm, 0);
    for (let second = 0; second < 2; second += 1) {
      expect(shedOf(guard)).toEqual({});
      feed(guard, { ...calm, loopUtilization: 1 }, 9);
      feed(guard, { ...calm, loopUtilization: 1, loopDelayMaxMs: 201 }, 1);
    }
    expect(shedOf(guard)).toEqual({ 'event-loop': 250 });
  });

  test.each([
    ['heap', { ...calm, heapShare: 0.86 }],
    ['memory', { ...calm, memoryShare: 0.86 }],
  ])('for want of %s, once it has not been better for a second', (reason, load) => {
    expect(shedOf(guardAfter(load, 9))).toEqual({});
    const guard = guardAfter(load, 10);
    expect(shedOf(guard)).toEqual({ [reason]: 250 });
    // Collected: what is in use is little.
    feed(guard, calm, 1);
    feed(guard, load, 8);
    expect(guard.report().shedShare).toBe(0);
    expect(shedOf(guardAfter({ ...load, heapShare: 0.85, memoryShare: 0.85 }, 10))).toEqual({});
  });

  test('more of them as long as it is not better, but never all', () => {
    const guard = guardAfter(late, 10);
    feed(guard, { ...late, loopDelayMeanMs: 16 }, 1);
    expect(guard.report().shedShare).toBeCloseTo(0.4375);
    feed(guard, late, 100);
    expect(guard.report().shedShare).toBe(0.98);
    expect(shedOf(guard)['event-loop']).toBeCloseTo(980, -1);
  });

  test('fewer with every sample that is well, until none are', () => {
    const guard = guardAfter(late, 10);
    feed(guard, { ...late, loopDelayMeanMs: 5 }, 1);
    expect(guard.report().shedShare).toBeCloseTo(0.22);
    feed(guard, calm, 7);
    expect(guard.report().shedShare).toBeCloseTo(0.01);
    feed(guard, calm, 1);
    expect(guard.report().shedShare).toBe(0);
    expect(shedOf(guard)).toEqual({});
  });

  test('in smaller steps near the goal, once it is known about how much is too much', () => {
    // A quarter, then a quarter of the rest.
    const shareAfter = (loopDelayMeanMs: number): number => {
      const guard = guardAfter(late, 11);
      feed(guard, { ...late, loopDelayMeanMs }, 1);
      return guard.report().shedShare;
    };
    expect(guardAfter(late, 11).report().shedShare).toBeCloseTo(0.4375);
    // Of the 0.5625 that are admitted: a quarter, a quarter of that, and a tenth of it.
    expect(shareAfter(20)).toBeCloseTo(0.578, 3);
    expect(shareAfter(8.75)).toBeCloseTo(0.4727, 3);
    expect(shareAfter(5.1)).toBeCloseTo(0.4516, 3);
    // Less by 3 % of all, a half of that, and a tenth of it.
    expect(shareAfter(0)).toBeCloseTo(0.4075, 3);
    expect(shareAfter(2.5)).toBeCloseTo(0.4225, 3);
    expect(shareAfter(4.9)).toBeCloseTo(0.4345, 3);
  });

  test('in whole steps for want of memory, however prompt the loop', () => {
    const guard = guardAfter({ ...calm, heapShare: 1 }, 12);
    expect(guard.report().shedShare).toBeCloseTo(1 - 0.75 ** 3);
  });

  test('evenly: of a quarter every fourth', () => {
    const guard = guardAfter(late, 10);
    const verdicts = Array.from({ length: 8 }, () => guard.shed(1) === undefined);
    expect(verdicts).toEqual([true, true, true, false, true, true, true, false]);
  });
});

test('what was shed is told by reason', () => {
  const guard = guardAfter({ ...calm, heapShare: 1 }, 10);
  shedOf(guard);
  guard.shed(100);
  expect(guard.report()).toEqual({ shedShare: 0.25, shed: { requests: 1, 'event-loop': 0, heap: 250, memory: 0 } });
  expect(Object.keys(guard.report().shed)).toEqual([...shedReasons]);
});

/** A process that can do so much and is offered more: what is left waiting makes its loop late. */
test('under four times the load that it can take, nine tenths of what it can do is done, and it stays in time', () => {
  const guard = new OverloadGuard({ ...limits, requestsMax: 0 });
  const capacity = 100;
  let waiting = 0;
  let done = 0;
  let lateSamples = 0;
  const samples = 1000;
  for (let sample = 0; sample < samples; sample += 1) {
    for (let request = 0; request < 4 * capacity; request += 1) if (guard.shed(1) === undefined) waiting += 1;
    const served = Math.min(waiting, capacity);
    waiting -= served;
    const delayMs = (waiting / capacity) * 100;
    if (sample >= 200) {
      done += served;
      if (delayMs > 200) lateSamples += 1;
    }
    guard.sample({ ...calm, loopUtilization: served / capacity, loopDelayMeanMs: delayMs, loopDelayMaxMs: delayMs });
  }
  expect(done / (capacity * (samples - 200))).toBeGreaterThan(0.9);
  expect(lateSamples).toBeLessThan(8);
});
