// Who of those that could be asked now is shown to a strategy: spares come after all others, and what a rule prefers first.

import type { Backend, Rule, Tier } from '../config/snapshot.ts';
import type { Choice } from './plan-parts.ts';

/** Above the ranks of eight preferences, which is all that a rule may have. */
const spareRank = 2 ** 16;

/** The usual time of a backend to first content, milliseconds; undefined where nobody knows. */
type UsualMs = (backend: Backend) => number | undefined;

/** Those of the eligible of a tier that come first. */
export function foremost<C extends Choice>(
  eligible: readonly C[],
  { hasSpares }: Tier,
  { preference }: Rule,
  usualMs: UsualMs,
): readonly C[] {
  if (eligible.length < 2 || (preference === undefined && !hasSpares)) return eligible;
  const ranks = eligible.map((choice) => rankOf(choice, preference, usualMs));
  const first = Math.min(...ranks);
  return eligible.filter((_, index) => ranks[index] === first);
}

function rankOf({ weight, backend, behind }: Choice, preference: Rule['preference'], usualMs: UsualMs): number {
  const rank = (it: Backend): number => preference?.rankOf(it, usualMs(it)) ?? 0;
  const own = backend === undefined ? Math.min(...(behind?.() ?? []).map(rank)) : rank(backend);
  return weight === 0 ? own + spareRank : own;
}
