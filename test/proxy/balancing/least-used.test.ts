import { describe, expect, it } from 'vitest';
import { choices, picker, spread, tally } from './rig.ts';
import { seededRandom } from './seeded-random.ts';

const four = choices({ a: 1, b: 1, c: 1, d: 1 });

describe('LeastUsed', () => {
  it('is exactly even over 100 000 picks, and never more than one apart on the way', () => {
    const from = picker('LeastUsed');
    const counts = new Map(four.map(({ id }) => [id, 0]));
    for (let turn = 0; turn < 100_000; turn += 1) {
      tally(from, four, 1, counts);
      if (spread(counts) > 1) expect.fail(`more than one apart after ${turn} picks`);
    }
    expect(spread(counts)).toBe(0);
  });

  it('is within 2 % over a fleet of any sizes, with restarts and backends that others still leave out', () => {
    const random = seededRandom(7);
    const fleet = Array.from({ length: 8 }, (_, index) => picker('LeastUsed', { seed: index }));
    const counts = new Map<string, number>();
    for (let turn = 0; turn < 100_000; turn += 1) {
      // Requests are shared unevenly: the first gets as many as all others.
      const member = Math.floor(random() ** 3 * fleet.length);
      if (turn % 9_000 === 0) fleet[member] = picker('LeastUsed', { seed: turn });
      const from = fleet[member];
      if (from === undefined) throw new Error('no such member');
      // For 50 requests of every thousand one of the four is disabled, and one process hears of it a little later.
      const out = turn % 1_000 < 50 ? Math.floor(turn / 1_000) % 4 : -1;
      tally(from, out >= 0 && member !== 1 ? four.filter((_, index) => index !== out) : four, 1, counts);
    }
    expect(spread(counts) / 25_000).toBeLessThan(0.02);
  });

  it('does not begin with the same one in every process', () => {
    const first = new Map<string, number>();
    for (let seed = 0; seed < 4_000; seed += 1) tally(picker('LeastUsed', { seed }), four, 1, first);
    expect(Math.min(...first.values())).toBeGreaterThan(850);
  });

  it('makes up for what retries left out, and not for what was missed while one was away', () => {
    const from = picker('LeastUsed');
    tally(from, four, 400);
    const retried = tally(from, four.slice(0, 3), 6);
    expect(spread(tally(from, four, 2, retried))).toBe(0);
    tally(from, four.slice(0, 3), 300);
    expect(spread(tally(from, four, 40))).toBe(0);
  });

  it('starts a newcomer level with the least used, so that it is not given everything', () => {
    const from = picker('LeastUsed');
    tally(from, choices({ a: 1, b: 1 }), 1_000);
    expect(spread(tally(from, choices({ a: 1, b: 1, late: 1 }), 30))).toBe(0);
  });
});
