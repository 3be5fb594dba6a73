import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '../../../proxy/kube/backoff.ts';

it('waits double with each failure, from 0.2 s up to 30 s, at least half of it by chance', () => {
  const longest = (failures: number): number => backoffMs(failures, { random: () => 1 });
  expect([1, 2, 3, 4, 8, 9, 20, 2000].map(longest)).toEqual([200, 400, 800, 1600, 25_600, 30_000, 30_000, 30_000]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
      const waitMs = backoffMs(failures, { random: () => chance });
      expect(waitMs).toBeGreaterThanOrEqual(longest(failures) / 2);
      expect(waitMs).toBeLessThanOrEqual(longest(failures));
    }),
  );
});

it('never comes back sooner than it was asked to, nor all at once, nor is silenced for good', () => {
  const asked = (retryAfterMs: number, chance: number): number => backoffMs(1, { retryAfterMs, random: () => chance });
  expect(asked(5000, 0)).toBe(5100);
  expect(asked(5000, 1)).toBe(5200);
  expect(asked(86_400_000, 0)).toBe(120_100);
});
