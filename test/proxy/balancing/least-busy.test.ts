import type { AttemptRecord } from '../../../proxy/accounting/trail.ts';
import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import { Attempts, chiSquare, choices, picker, tally } from './rig.ts';
import { seededRandom } from './seeded-random.ts';

const ten = choices(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`b${index}`, 1])));
const even = Object.fromEntries(ten.map(({ id }) => [id, 1]));

describe('LeastBusy', () => {
  it('is uniform over 100 000 picks among the idle (chi-square at 0.1 %, nine degrees of freedom)', () => {
    expect(chiSquare(tally(picker('LeastBusy'), ten, 100_000), even)).toBeLessThan(27.88);
  });

  it('takes the less busy of the two that it looks at: of ten the busiest never, the second busiest in one of 45', () => {
    const loads = new LoadBook();
    for (const [index, { id }] of ten.entries()) {
      for (let request = 0; request < index; request += 1) new Attempts(loads, id).begin(0);
    }
    const counts = tally(picker('LeastBusy', { loads }), ten, 100_000);
    expect(counts.get('b9')).toBeUndefined();
    // b0 wins whenever it is looked at: 9 of 45 pairs; b1 8 of 45; …
    const shares = Object.fromEntries(ten.slice(0, 9).map(({ id }, index) => [id, 9 - index]));
    expect(chiSquare(counts, shares)).toBeLessThan(26.12);
  });

  it('keeps queues short where answers take very different times', () => {
    const longest = (strategy: 'LeastBusy' | 'Random'): number => {
      const loads = new LoadBook();
      const from = picker(strategy, { loads });
      const random = seededRandom(11);
      const running: { readonly attempts: Attempts; readonly record: AttemptRecord; readonly endsAt: number }[] = [];
      let most = 0;
      for (let now = 0; now < 20_000; now += 1) {
        for (let index = running.length - 1; index >= 0; index -= 1) {
          const one = running[index];
          if (one === undefined || one.endsAt > now) continue;
          one.attempts.end(one.record, now);
          running.splice(index, 1);
        }
        const attempts = new Attempts(loads, from.pick(ten).id);
        running.push({ attempts, record: attempts.begin(now), endsAt: now - 50 * Math.log(1 - random()) });
        if (now > 1_000) most = Math.max(most, ...ten.map(({ id }) => loads.of(id).inFlight));
      }
      return most;
    };
    expect(longest('LeastBusy')).toBeLessThan(longest('Random') * 0.75);
  });
});
