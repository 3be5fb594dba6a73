import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choices, picker, spread, strategies, tally } from './rig.ts';
import { seededRandom } from './seeded-random.ts';

const four = choices({ a: 1, b: 1, c: 1, d: 1 });

describe('every strategy', () => {
  it.each(strategies)('picks one of what is eligible, and itself where it is alone: %s', (strategy) => {
    const from = picker(strategy);
    const some = fc.shuffledSubarray(four, { minLength: 1 });
    fc.assert(
      fc.property(some, (eligible) => {
        expect(eligible).toContain(from.pick(eligible));
      }),
    );
    expect(from.pick(four.slice(2, 3)).id).toBe('c');
  });

  it.each(strategies)('gives back the very choice it was given, not one it remembers: %s', (strategy) => {
    const from = picker(strategy);
    tally(from, four, 10);
    const renewed = choices({ a: 1 });
    expect(from.pick(renewed)).toBe(renewed[0]);
  });

  it.each(strategies)('has nothing to pick from nothing: %s', (strategy) => {
    expect(() => picker(strategy).pick([])).toThrow(RangeError);
  });
});

describe('Random', () => {
  it('is uniform, whatever the weights (chi-square at 0.1 %)', () => {
    const ten = choices(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`b${index}`, index * 7])));
    const total = 20_000;
    for (const seed of [1, 2, 3]) {
      const counts = tally(picker('Random', { seed }), ten, total);
      const wanted = total / ten.length;
      const chiSquare = ten.reduce((sum, { id }) => sum + ((counts.get(id) ?? 0) - wanted) ** 2 / wanted, 0);
      // Nine degrees of freedom.
      expect(chiSquare).toBeLessThan(27.88);
    }
  });

  it('reaches the first and the last at the ends of its random numbers', () => {
    expect(picker('Random', { random: () => 0 }).pick(four).id).toBe('a');
    expect(picker('Random', { random: () => 1 - Number.EPSILON }).pick(four).id).toBe('d');
  });
});

describe('RoundRobin', () => {
  it('gives everyone a turn before anyone has two', () => {
    const from = picker('RoundRobin');
    for (let round = 0; round < 5; round += 1) expect(spread(tally(from, four, 4))).toBe(0);
  });

  it('goes round in an order of its own in each process', () => {
    const orderOf = (seed: number): string => {
      const from = picker('RoundRobin', { seed });
      const rounds = Array.from({ length: 12 }, () => from.pick(four).id).join('');
      expect(rounds).toBe(rounds.slice(0, 4).repeat(3));
      return rounds.slice(0, 4);
    };
    const orders = Array.from({ length: 200 }, (_, seed) => orderOf(seed));
    expect(new Set(orders).size).toBe(24);
    for (const { id } of four) {
      // A quarter begins with each: 50, and four times the standard deviation.
      expect(Math.abs(orders.filter((order) => order.startsWith(id)).length - 50)).toBeLessThan(25);
    }
  });

  it('is exactly even among those that are there while others are away, and among all after their return', () => {
    const from = picker('RoundRobin');
    tally(from, four, 8);
    const away = tally(from, four.slice(0, 3), 300);
    expect(away.size).toBe(3);
    expect(spread(away)).toBe(0);
    const together = tally(from, four, 400);
    expect(together.size).toBe(4);
    expect(spread(together)).toBe(0);
  });

  it('stays even while eligibility changes at every turn', () => {
    const from = picker('RoundRobin', { random: () => 0 });
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let turn = 0; turn < 8_000; turn += 1) {
      const eligible = four.filter(() => random() < 0.7);
      if (eligible.length > 0) tally(from, eligible, 1, counts);
    }
    expect(spread(counts)).toBeLessThanOrEqual(20);
  });
});

describe('Weighted', () => {
  it('is exact over every cycle, and spreads a heavy choice out', () => {
    const from = picker('Weighted');
    const weighted = choices({ a: 5, b: 1, c: 1 });
    const order = Array.from({ length: 14 }, () => from.pick(weighted).id).join('');
    // https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    expect(order).toBe('aabacaaaabacaa');
  });

  it('is exact over a cycle for any weights', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 3 }), (given, cycles) => {
        const weighted = given.map((weight, index) => ({ id: `b${index}`, weight }));
        const total = given.reduce((sum, weight) => sum + weight, 0);
        const counts = tally(picker('Weighted'), weighted, total * cycles);
        expect(weighted.map(({ id }) => counts.get(id) ?? 0)).toEqual(given.map((weight) => weight * cycles));
      }),
    );
  });

  it('is within 1 % of its shares over 10 000 turns while eligibility changes', () => {
    const weighted = choices({ a: 7, b: 2, c: 1 });
    const from = picker('Weighted');
    const random = seededRandom(9);
    const counts = new Map<string, number>();
    const wanted = new Map<string, number>();
    for (let turn = 0; turn < 10_000; turn += 1) {
      const away = Math.floor(turn / 50 + random()) % 4;
      const eligible = weighted.filter((_, index) => index !== away);
      const total = eligible.reduce((sum, { weight }) => sum + weight, 0);
      for (const { id, weight } of eligible) wanted.set(id, (wanted.get(id) ?? 0) + weight / total);
      tally(from, eligible, 1, counts);
    }
    for (const [id, count] of wanted) expect(Math.abs((counts.get(id) ?? 0) - count)).toBeLessThan(100);
  });

  it('gives nothing to a weight of 0 while anyone else is there, whoever was there before', () => {
    const from = picker('Weighted');
    const weighted = choices({ a: 10, b: 1, spare: 0 });
    const random = seededRandom(3);
    for (let turn = 0; turn < 2_000; turn += 1) {
      const eligible = weighted.filter(({ id }) => id === 'spare' || random() < 0.6);
      const { id } = from.pick(eligible);
      if (eligible.length > 1) expect(id).not.toBe('spare');
    }
    expect(from.pick(choices({ spare: 0 })).id).toBe('spare');
  });

  it('shares by turns where all weights are 0', () => {
    expect(spread(tally(picker('Weighted'), choices({ a: 0, b: 0 }), 100))).toBe(0);
  });

  it('goes on with its turn where a new configuration has the same ids, and follows new weights', () => {
    const from = picker('Weighted');
    const first = tally(from, choices({ a: 3, b: 1 }), 2);
    expect(tally(from, choices({ a: 3, b: 1 }), 2, first)).toEqual(
      new Map([
        ['a', 3],
        ['b', 1],
      ]),
    );
    expect(tally(from, choices({ a: 1, b: 3 }), 40).get('b')).toBe(30);
  });
});

describe('the memory of a picker', () => {
  it.each(['RoundRobin', 'Weighted', 'LeastUsed'] as const)('is bounded: old ids are forgotten: %s', (strategy) => {
    const from = picker(strategy, { random: () => 0 });
    const pair = four.slice(0, 2);
    expect(from.pick(pair).id).toBe('a');
    for (let index = 0; index < 6_000; index += 1) {
      from.pick([
        { id: `old-${index}`, weight: 1 },
        { id: `older-${index}`, weight: 1 },
      ]);
    }
    expect(from.pick(pair).id).toBe('a');
    expect(from.pick(pair).id).toBe('b');
  });
});
