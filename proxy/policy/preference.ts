// Soft policy on providers: who is asked first. What configuration decides is worked out once for each backend; how fast
// a backend is, is asked when it matters.

import type { RuleConfig } from '../config/schema.ts';
import type { Backend, Preference } from '../config/snapshot.ts';
import { explainExclusion } from './requirement.ts';

type Wish = RuleConfig['prefer'][number];

/** Compiles a rule's preferences, the most important first; undefined where it has none. */
export function compilePreference(wishes: readonly Wish[]): Preference | undefined {
  if (wishes.length === 0) return undefined;
  const ranks = new WeakMap<Backend, number>();
  const bits = wishes.map((wish, index) => ({ wish, bit: 2 ** (wishes.length - 1 - index) }));
  const fixed = bits.filter(({ wish }) => wish.maxFirstContentMillis === undefined);
  const timed = bits.flatMap(({ wish: { maxFirstContentMillis }, bit }) =>
    maxFirstContentMillis === undefined ? [] : [{ maxMs: maxFirstContentMillis, bit }],
  );
  return {
    rankOf(backend, usualMs) {
      let rank = ranks.get(backend);
      if (rank === undefined) ranks.set(backend, (rank = sum(fixed.filter(({ wish }) => isUnmet(wish, backend)))));
      // Nobody knows yet: asked first, it will be known.
      if (usualMs !== undefined) for (const { maxMs, bit } of timed) if (usualMs > maxMs) rank += bit;
      return rank;
    },
  };
}

/** The longest usual time to first content that a rule's requirements allow, milliseconds; undefined where they do not say. */
export function longestFirstContentMs(requirements: RuleConfig['require']): number | undefined {
  const given = requirements.map((it) => it.maxFirstContentMillis).filter((millis) => millis !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

function isUnmet(wish: Wish, backend: Backend): boolean {
  return explainExclusion([wish], backend) !== undefined;
}

function sum(entries: readonly { readonly bit: number }[]): number {
  return entries.reduce((total, { bit }) => total + bit, 0);
}
