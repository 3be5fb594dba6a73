import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import type { Choice } from '../../../proxy/balancing/picker.ts';
import { Attempts, chiSquare, choices, keyed, picker, type TestPicker } from './rig.ts';
import { seededRandom } from './seeded-random.ts';

const times = 100_000;
const five = choices({ a: 1, b: 1, c: 1, d: 1, e: 1 });

function keys(seed = 1): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: times }, () => Math.floor(random() * 2 ** 32));
}

function places(from: TestPicker, eligible: readonly Choice[], of: readonly number[]): string[] {
  return of.map((key) => from.pick(eligible, keyed(key)).id);
}

function count(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

describe('Affinity', () => {
  it('spreads 100 000 keys evenly (chi-square at 0.1 %, four degrees of freedom), and by weight', () => {
    const even = Object.fromEntries(five.map(({ id }) => [id, 1]));
    expect(chiSquare(count(places(picker('Affinity'), five, keys())), even)).toBeLessThan(18.47);
    const weights = { a: 5, b: 2, c: 1 };
    expect(chiSquare(count(places(picker('Affinity'), choices(weights), keys())), weights)).toBeLessThan(13.82);
  });

  it('sends the same key to the same backend, in every process and whatever the order', () => {
    const some = keys().slice(0, 2_000);
    const here = places(picker('Affinity', { seed: 1 }), five, some);
    expect(places(picker('Affinity', { seed: 2 }), [...five].reverse(), some)).toEqual(here);
  });

  it('moves only the keys of a backend that goes, and all of them back when it returns', () => {
    const from = picker('Affinity');
    const before = places(from, five, keys());
    const without = places(
      from,
      five.filter(({ id }) => id !== 'c'),
      keys(),
    );
    const moved = before.filter((id, index) => id !== without[index]);
    expect(new Set(moved)).toEqual(new Set(['c']));
    expect(moved).toHaveLength(before.filter((id) => id === 'c').length);
    // Those that move are shared by all that are left.
    const heirs = count(without.filter((_, index) => before[index] === 'c'));
    expect(chiSquare(heirs, { a: 1, b: 1, d: 1, e: 1 })).toBeLessThan(16.27);
    expect(places(from, five, keys())).toEqual(before);
  });

  it('takes from each backend its part for a new one, and moves nothing between the others', () => {
    const from = picker('Affinity');
    const before = places(from, five, keys());
    const after = places(from, [...five, ...choices({ f: 1 })], keys());
    expect(after.every((id, index) => id === 'f' || id === before[index])).toBe(true);
    expect(after.filter((id) => id === 'f').length / times).toBeCloseTo(1 / 6, 2);
  });

  it('bounds the load: no backend has more than 1.25 times its share of the requests under way', () => {
    const loads = new LoadBook();
    const from = picker('Affinity', { loads });
    const random = seededRandom(5);
    // Half of all requests belong to one conversation.
    for (let request = 0; request < 1_000; request += 1) {
      const { id } = from.pick(five, keyed(random() < 0.5 ? 42 : Math.floor(random() * 2 ** 32)));
      new Attempts(loads, id).begin(request);
    }
    const inFlight = five.map(({ id }) => loads.of(id).inFlight);
    expect(Math.max(...inFlight)).toBeLessThanOrEqual(Math.ceil(1.25 * 200));
    expect(Math.max(...inFlight)).toBeGreaterThan(240);
  });

  it('lets a conversation stay where it is while there is little to do', () => {
    const loads = new LoadBook();
    const from = picker('Affinity', { loads });
    const home = from.pick(five, keyed(42)).id;
    for (let request = 0; request < 8; request += 1) {
      const { id } = from.pick(five, keyed(42));
      expect(id).toBe(home);
      new Attempts(loads, id).begin(request);
    }
    expect(from.pick(five, keyed(42)).id).not.toBe(home);
  });

  it('goes anywhere, by weight, with a request that has nothing in common with others', () => {
    const from = picker('Affinity');
    const ids = Array.from({ length: times }, () => from.pick(choices({ a: 3, b: 1, spare: 0 })).id);
    expect(count(ids).get('spare')).toBeUndefined();
    expect(chiSquare(count(ids), { a: 3, b: 1 })).toBeLessThan(10.83);
    expect(from.pick(choices({ spare: 0, other: 0 })).weight).toBe(0);
  });
});
