import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFailureCounter } from '../../../proxy/routing/failure-counter.ts';
import { TurnableClock } from './turnable-clock.ts';

function counterAt(nowMs = 1_000_000) {
  const clock = new TurnableClock(nowMs);
  return { clock, counter: createFailureCounter({ clock }) };
}

describe('failures within a window', () => {
  test('one is enough by default', () => {
    const { counter } = counterAt();
    expect(counter.add('a', { failures: 1, windowSeconds: 0 })).toBe(true);
    expect(counter.add('a', { failures: 1, windowSeconds: 0 })).toBe(true);
  });

  test('the last of three counts, and then they start anew', () => {
    const { counter } = counterAt();
    const threshold = { failures: 3, windowSeconds: 60 };
    expect([1, 2, 3, 4, 5, 6].map(() => counter.add('a', threshold))).toEqual([false, false, true, false, false, true]);
  });

  test('a failure exactly as old as the window is still in it', () => {
    const { clock, counter } = counterAt();
    const threshold = { failures: 2, windowSeconds: 60 };
    counter.add('a', threshold);
    clock.nowMs += 60_000;
    expect(counter.add('a', threshold)).toBe(true);
    counter.add('a', threshold);
    clock.nowMs += 60_001;
    expect(counter.add('a', threshold)).toBe(false);
    clock.nowMs += 1;
    expect(counter.add('a', threshold)).toBe(true);
  });

  test('the window slides', () => {
    const { clock, counter } = counterAt();
    const threshold = { failures: 3, windowSeconds: 10 };
    const verdicts = [0, 6000, 6000, 3000].map((stepMs) => {
      clock.nowMs += stepMs;
      return counter.add('a', threshold);
    });
    expect(verdicts).toEqual([false, false, false, true]);
  });

  test('targets are counted apart', () => {
    const { counter } = counterAt();
    const threshold = { failures: 2, windowSeconds: 60 };
    expect(counter.add('a', threshold)).toBe(false);
    expect(counter.add('b', threshold)).toBe(false);
    expect(counter.add('b', threshold)).toBe(true);
    expect(counter.add('a', threshold)).toBe(true);
  });

  test('a threshold that is lowered takes what is there', () => {
    const { counter } = counterAt();
    for (let i = 0; i < 4; i += 1) counter.add('a', { failures: 5, windowSeconds: 60 });
    expect(counter.add('a', { failures: 2, windowSeconds: 60 })).toBe(true);
  });

  test('more than a thousand failures are never asked for', () => {
    const { counter } = counterAt();
    const threshold = { failures: 5000, windowSeconds: 60 };
    for (let i = 0; i < 999; i += 1) expect(counter.add('a', threshold)).toBe(false);
    expect(counter.add('a', threshold)).toBe(true);
  });

  test('beyond ten thousand targets the one that failed longest ago is forgotten', () => {
    const { counter } = counterAt();
    const threshold = { failures: 2, windowSeconds: 60 };
    for (let i = 0; i <= 10_000; i += 1) counter.add(`target-${i}`, threshold);
    expect(counter.add('target-1', threshold)).toBe(true);
    expect(counter.add('target-0', threshold)).toBe(false);
  });
});

test('it says what counting by hand says', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.nat(30),
      fc.array(fc.nat(20_000), { maxLength: 60 }),
      (failures, windowSeconds, stepsMs) => {
        const { clock, counter } = counterAt();
        let times: number[] = [];
        for (const stepMs of stepsMs) {
          clock.nowMs += stepMs;
          times.push(clock.nowMs);
          const within = times.filter((atMs) => clock.nowMs - atMs <= windowSeconds * 1000);
          const full = within.length >= failures;
          expect(counter.add('a', { failures, windowSeconds })).toBe(full);
          if (full) times = [];
        }
      },
    ),
  );
});
