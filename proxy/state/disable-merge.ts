// What is known about one target, and how two pieces of knowledge become one: whatever the order in which they arrive,
// and however often, the result is the same. Knows no clock, no store, no other target.

import type { DisableEntry } from './store.ts';

/** What is known about a target. Hard and soft side by side: a long soft rest must not hide a hard disable. */
export interface TargetFacts {
  /** Time of the last known clear; entries of an older generation are void. 0 = none known. */
  readonly generation: number;
  readonly hard: DisableEntry | undefined;
  readonly soft: DisableEntry | undefined;
}

/** What is known about a target that nobody has spoken of. */
export const noFacts: TargetFacts = { generation: 0, hard: undefined, soft: undefined };

/** The facts with one more entry. The same object if that changes nothing. */
export function withEntry(facts: TargetFacts, entry: DisableEntry): TargetFacts {
  if (entry.generation < facts.generation) return facts;
  // An entry of a newer generation is news of the clear, too.
  const base = withClear(facts, entry.generation);
  const held = entry.hard ? base.hard : base.soft;
  if (held !== undefined && !outlasts(entry, held)) return base;
  return entry.hard ? { ...base, hard: entry } : { ...base, soft: entry };
}

/** The facts after a clear of that generation. The same object if that changes nothing. */
export function withClear(facts: TargetFacts, generation: number): TargetFacts {
  return generation > facts.generation ? { generation, hard: undefined, soft: undefined } : facts;
}

/** The facts without the entries that have ended. The same object if none has. */
export function withoutEnded(facts: TargetFacts, nowMs: number): TargetFacts {
  const hard = inForce(facts.hard, nowMs);
  const soft = inForce(facts.soft, nowMs);
  return hard === facts.hard && soft === facts.soft ? facts : { generation: facts.generation, hard, soft };
}

/** The entry if it has not ended. */
export function inForce(entry: DisableEntry | undefined, nowMs: number): DisableEntry | undefined {
  return entry !== undefined && entry.untilMs > nowMs ? entry : undefined;
}

/** Unix milliseconds until which the facts disable their target; 0 = they do not. Allocates nothing: on the hot path. */
export function disabledUntil({ hard, soft }: TargetFacts, nowMs: number): number {
  let until = 0;
  if (hard !== undefined && hard.untilMs > nowMs) until = hard.untilMs;
  if (soft !== undefined && soft.untilMs > nowMs && soft.untilMs > until) until = soft.untilMs;
  return until;
}

/**
 * The later end wins; the id decides between equal ends, so that everybody chooses alike. Another copy of the held entry
 * never wins: its end differs only by what its journey added, and would grow with every journey.
 */
function outlasts(entry: DisableEntry, held: DisableEntry): boolean {
  if (entry.id === held.id) return false;
  return entry.untilMs === held.untilMs ? entry.id > held.id : entry.untilMs > held.untilMs;
}
