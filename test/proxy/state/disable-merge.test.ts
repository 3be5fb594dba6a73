// Merging is proven on random news: whatever the order, and however often, everybody ends up knowing the same.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  disabledUntil,
  inForce,
  noFacts,
  withClear,
  withEntry,
  withoutEnded,
  type TargetFacts,
} from '../../../proxy/state/disable-merge.ts';
import type { DisableEntry, SharedNews } from '../../../proxy/state/store.ts';

const cases = 100_000;

const entries: fc.Arbitrary<DisableEntry> = fc
  .record({
    // Ends and generations have few values, so that they often meet.
    number: fc.integer({ min: 0, max: 1_000_000 }),
    untilMs: fc.integer({ min: 1, max: 12 }),
    hard: fc.boolean(),
    generation: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ number, untilMs, hard, generation }) => ({
    // The id stands for all the rest, as it does in life.
    id: `${number}.${untilMs}.${hard}.${generation}`,
    target: 'backend:team-a/chat/gpt4',
    hard,
    reason: 'ServerError',
    sinceMs: 0,
    untilMs,
    by: 'proxy',
    generation,
  }));

const news: fc.Arbitrary<SharedNews> = fc.oneof(
  { weight: 4, arbitrary: entries.map((entry): SharedNews => ({ type: 'disable', entry })) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((generation): SharedNews => ({ type: 'clear', clear: { target: 'backend:team-a/chat/gpt4', generation } })),
  },
);

function learn(facts: TargetFacts, it: SharedNews): TargetFacts {
  return it.type === 'disable' ? withEntry(facts, it.entry) : withClear(facts, it.clear.generation);
}

function learnAll(all: readonly SharedNews[]): TargetFacts {
  return all.reduce(learn, noFacts);
}

/** What the merge is supposed to compute, said without any order: the newest generation, and in it the latest ends. */
function latest(all: readonly SharedNews[], hard: boolean): number | undefined {
  const generations = all.map((it) => (it.type === 'disable' ? it.entry.generation : it.clear.generation));
  const newest = Math.max(0, ...generations);
  const untils = all.flatMap((it) =>
    it.type === 'disable' && it.entry.hard === hard && it.entry.generation === newest ? [it.entry.untilMs] : [],
  );
  return untils.length === 0 ? undefined : Math.max(...untils);
}

/** An entry of generation 2. */
function entry(id: string, untilMs: number, differs: Partial<DisableEntry> = {}): DisableEntry {
  const usual = {
    target: 'backend:team-a/chat/gpt4',
    hard: false,
    reason: 'ServerError',
    sinceMs: 0,
    by: 'proxy',
  } as const;
  return { ...usual, id, untilMs, generation: 2, ...differs };
}

describe('by example', () => {
  const soft = entry('b', 10);
  const hard = entry('h', 20, { hard: true });
  const both = withEntry(withEntry(noFacts, soft), hard);

  test('hard and soft stand side by side, and an entry tells of its generation', () => {
    expect(both).toEqual({ generation: 2, hard, soft });
    expect(noFacts).toEqual({ generation: 0, hard: undefined, soft: undefined });
  });

  test('the later end wins; of two with the same end the greater id', () => {
    expect(withEntry(both, entry('a', 11)).soft?.id).toBe('a');
    expect(withEntry(both, entry('c', 10)).soft?.id).toBe('c');
    expect(withEntry(both, entry('c', 9))).toBe(both);
    expect(withEntry(both, entry('a', 10))).toBe(both);
    expect(withEntry(both, entry('z', 21, { hard: true }))).toEqual({ ...both, hard: entry('z', 21, { hard: true }) });
  });

  test('another copy of what is known changes nothing, whatever its journey added', () => {
    expect(withEntry(both, entry('b', 99))).toBe(both);
  });

  test('what is older than a clear is void, what is newer tells of one', () => {
    expect(withEntry(both, entry('x', 99, { generation: 1 }))).toBe(both);
    expect(withEntry(both, entry('x', 5, { generation: 3 }))).toEqual({
      generation: 3,
      hard: undefined,
      soft: entry('x', 5, { generation: 3 }),
    });
    expect(withClear(both, 2)).toBe(both);
    expect(withClear(both, 1)).toBe(both);
    expect(withClear(both, 3)).toEqual({ generation: 3, hard: undefined, soft: undefined });
  });

  test('what has ended is gone at its end, and nothing else with it', () => {
    expect(inForce(soft, 9)).toBe(soft);
    expect(inForce(soft, 10)).toBeUndefined();
    expect(inForce(undefined, 0)).toBeUndefined();
    expect(withoutEnded(both, 9)).toBe(both);
    expect(withoutEnded(both, 10)).toEqual({ generation: 2, hard, soft: undefined });
    expect(withoutEnded(both, 20)).toEqual({ generation: 2, hard: undefined, soft: undefined });
    const late = withEntry(withEntry(noFacts, entry('b', 30)), hard);
    expect(withoutEnded(late, 20)).toEqual({ generation: 2, hard: undefined, soft: entry('b', 30) });
  });

  test('a target is out until the later of both ends', () => {
    expect(disabledUntil(noFacts, 0)).toBe(0);
    expect(disabledUntil(both, 0)).toBe(20);
    expect(disabledUntil(both, 19)).toBe(20);
    expect(disabledUntil(both, 20)).toBe(0);
    expect(disabledUntil({ ...both, soft: entry('b', 30) }, 0)).toBe(30);
    expect(disabledUntil({ ...both, hard: undefined }, 9)).toBe(10);
    expect(disabledUntil({ ...both, hard: undefined }, 10)).toBe(0);
    expect(disabledUntil({ ...both, soft: undefined }, 10)).toBe(20);
  });
});

describe('merging what is known of a target', () => {
  test('any order and any duplication of the same news give the same knowledge', () => {
    const shuffled = fc.array(news, { maxLength: 8 }).chain((all) =>
      fc.record({
        all: fc.constant(all),
        order: fc.shuffledSubarray(all, { minLength: all.length }),
        again: fc.subarray(all),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ all, order, again }) => {
        expect(learnAll([...order, ...again])).toEqual(learnAll(all));
      }),
      { numRuns: cases },
    );
  });

  test('the newest generation counts, and in it the latest end, hard and soft apart', () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 8 }), (all) => {
        const facts = learnAll(all);
        expect([facts.hard?.untilMs, facts.soft?.untilMs]).toEqual([latest(all, true), latest(all, false)]);
      }),
      { numRuns: cases },
    );
  });

  test('without a newer generation nothing is ever shortened', () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 8 }), news, (all, last) => {
        const before = learnAll(all);
        const after = learn(before, last);
        if (after.generation > before.generation) return;
        expect(after.hard?.untilMs ?? 0).toBeGreaterThanOrEqual(before.hard?.untilMs ?? 0);
        expect(after.soft?.untilMs ?? 0).toBeGreaterThanOrEqual(before.soft?.untilMs ?? 0);
        expect(disabledUntil(after, 0)).toBeGreaterThanOrEqual(disabledUntil(before, 0));
      }),
      { numRuns: cases },
    );
  });

  test('a clear voids everything of an older generation, now and when it arrives later', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 8 }), fc.integer({ min: 1, max: 4 }), (all, generation) => {
        const facts = all.reduce(withEntry, withClear(noFacts, generation));
        for (const held of [facts.hard, facts.soft]) {
          if (held !== undefined) expect(held.generation).toBeGreaterThanOrEqual(generation);
        }
      }),
      { numRuns: cases },
    );
  });

  test('knowledge that changes nothing is the same object', () => {
    fc.assert(
      fc.property(fc.array(news, { minLength: 1, maxLength: 8 }), (all) => {
        const facts = learnAll(all);
        for (const it of all) expect(learn(facts, it)).toBe(facts);
      }),
      { numRuns: 10_000 },
    );
  });

  test('another copy of an entry does not lengthen it, whatever its journey added to the end', () => {
    const [entry] = fc.sample(entries, 1) as [DisableEntry];
    const facts = withEntry(noFacts, entry);
    expect(withEntry(facts, { ...entry, untilMs: entry.untilMs + 500 })).toBe(facts);
  });
});
