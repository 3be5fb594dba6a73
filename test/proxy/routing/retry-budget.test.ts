import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRetryBudget } from '../../../proxy/routing/retry-budget.ts';
import { TurnableClock } from './turnable-clock.ts';

function budgetAt(nowMs = 1_000_000) {
  const clock = new TurnableClock(nowMs);
  const budget = createRetryBudget({ clock });
  return {
    clock,
    budget,
    requests: (count: number, route = 'r') => {
      for (let i = 0; i < count; i += 1) budget.request(route);
    },
    /** How many of a hundred are granted. */
    granted: (percent: number, route = 'r') =>
      Array.from({ length: 100 }, () => budget.take(route, percent)).filter(Boolean).length,
  };
}

describe('the retry budget', () => {
  test("is a share of the route's requests, and three at least", () => {
    const { requests, granted } = budgetAt();
    expect(granted(20)).toBe(3);
    requests(19, 's');
    expect(granted(20, 's')).toBe(3);
    requests(20, 't');
    expect(granted(20, 't')).toBe(4);
    requests(24, 'u');
    expect(granted(20, 'u')).toBe(4);
    requests(25, 'v');
    expect(granted(20, 'v')).toBe(5);
    requests(50, 'w');
    expect(granted(0, 'w')).toBe(3);
    requests(50, 'x');
    expect(granted(100, 'x')).toBe(50);
  });

  test('comes back after ten seconds', () => {
    const { clock, granted } = budgetAt();
    expect(granted(20)).toBe(3);
    clock.nowMs += 9999;
    expect(granted(20)).toBe(0);
    clock.nowMs += 1;
    expect(granted(20)).toBe(3);
  });

  test('forgets requests after ten seconds', () => {
    const { clock, requests, granted } = budgetAt();
    requests(50);
    clock.nowMs += 9999;
    expect(granted(20)).toBe(10);
    clock.nowMs += 1;
    expect(granted(20)).toBe(0);
  });

  test('slides: each second gives back what it took', () => {
    const { clock, budget } = budgetAt();
    for (let i = 0; i < 3; i += 1) {
      expect(budget.take('r', 0)).toBe(true);
      clock.nowMs += 1000;
    }
    expect(budget.take('r', 0)).toBe(false);
    clock.nowMs += 7000;
    expect([budget.take('r', 0), budget.take('r', 0)]).toEqual([true, false]);
  });

  test('survives long silence and a clock that is set back', () => {
    const { clock, granted } = budgetAt();
    expect(granted(20)).toBe(3);
    clock.nowMs += 3_600_000;
    expect(granted(20)).toBe(3);
    clock.nowMs -= 1_800_000;
    expect(granted(20)).toBe(0);
  });

  test('beyond ten thousand routes the one unused longest starts anew', () => {
    const { budget, granted } = budgetAt();
    expect(granted(0, 'first')).toBe(3);
    expect(granted(0, 'second')).toBe(3);
    for (let i = 0; i < 9999; i += 1) budget.request(`route-${i}`);
    expect(granted(0, 'second')).toBe(0);
    expect(granted(0, 'first')).toBe(3);
  });
});

test('it never grants more than the share or three, in any ten seconds', () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.array(fc.tuple(fc.nat(1500), fc.nat(30), fc.nat(10)), { maxLength: 40 }),
      (percent, steps) => {
        const { clock, budget } = budgetAt(1_000_000);
        const requests: number[] = [];
        const taken: number[] = [];
        const recent = (times: readonly number[]) =>
          times.filter((atMs) => Math.floor(clock.nowMs / 1000) - Math.floor(atMs / 1000) < 10).length;
        for (const [stepMs, arriving, wanted] of steps) {
          clock.nowMs += stepMs;
          for (let i = 0; i < arriving; i += 1) requests.push((budget.request('r'), clock.nowMs));
          for (let i = 0; i < wanted; i += 1) {
            const allowed = Math.max(3, Math.floor((recent(requests) * percent) / 100));
            const granted = budget.take('r', percent);
            expect(granted).toBe(recent(taken) < allowed);
            if (granted) taken.push(clock.nowMs);
          }
        }
      },
    ),
  );
});
