import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import { Attempts, chiSquare, choices, picker, tally } from './rig.ts';

const times = 100_000;
const some = 5_000;

function share(counts: ReadonlyMap<string, number>, id: string, of = times): number {
  return (counts.get(id) ?? 0) / of;
}

describe('DynamicWeighted', () => {
  it('follows the weights over 100 000 picks while nothing is known (chi-square at 0.1 %, two degrees of freedom)', () => {
    const counts = tally(picker('DynamicWeighted'), choices({ a: 5, b: 3, c: 2 }), times);
    expect(chiSquare(counts, { a: 5, b: 3, c: 2 })).toBeLessThan(13.82);
  });

  it('scales each weight by how fast it is, down to a tenth', () => {
    const loads = new LoadBook();
    for (const [id, took] of Object.entries({ a: 200, b: 400, c: 60_000 })) new Attempts(loads, id).measured(took, 0);
    const counts = tally(picker('DynamicWeighted', { loads }), choices({ a: 1, b: 3, c: 1 }), times);
    expect(chiSquare(counts, { a: 1, b: 1.5, c: 0.1 })).toBeLessThan(13.82);
  });

  it('gives less to one that fails, never nothing, and all of its share when it has recovered', () => {
    const loads = new LoadBook();
    const [good, bad] = [new Attempts(loads, 'good'), new Attempts(loads, 'bad')];
    const pair = choices({ good: 1, bad: 1 });
    const from = picker('DynamicWeighted', { loads });
    good.measured(100, 0);
    bad.measured(100, 0);
    const shares = Array.from({ length: 60 }, (_, second) => {
      bad.failed('ServerError', 10, second);
      return share(tally(from, pair, some), 'bad', some);
    });
    // One tenth against one: an eleventh.
    expect(shares.at(-1)).toBeGreaterThan(0.075);
    expect(shares.at(-1)).toBeLessThan(0.107);
    for (let answer = 0; answer < 60; answer += 1) bad.measured(100, 60);
    expect(share(tally(from, pair, times), 'bad')).toBeGreaterThan(0.49);
  });

  it('does not hold against a backend what is the fault of a request or of a key', () => {
    const loads = new LoadBook();
    for (const failure of ['BadRequest', 'ContentFilter', 'Quota', 'Authentication'] as const) {
      for (let turn = 0; turn < 20; turn += 1) new Attempts(loads, 'a').failed(failure, 10, 0);
    }
    expect(
      chiSquare(tally(picker('DynamicWeighted', { loads }), choices({ a: 1, b: 1 }), times), { a: 1, b: 1 }),
    ).toBeLessThan(10.83);
  });

  it('gives nothing to a spare while anyone else is there', () => {
    const from = picker('DynamicWeighted');
    expect(tally(from, choices({ a: 1, spare: 0 }), 1_000).get('spare')).toBeUndefined();
    expect(tally(from, choices({ spare: 0, other: 0 }), 1_000).size).toBe(2);
  });
});
