// The least of what is eligible, by any measure: what several strategies have in common.

import type { Choice, Weighed } from './picker.ts';

/** The choice with the least score. Ties go to one at random: every proxy would send to the first of them otherwise. */
export function least<C extends Choice>(
  eligible: readonly C[],
  random: () => number,
  score: (backend: Weighed) => number,
): C {
  let best = at(eligible, 0);
  let fewest = scoreOf(best, score);
  let ties = 1;
  for (let index = 1; index < eligible.length; index += 1) {
    const choice = at(eligible, index);
    const own = scoreOf(choice, score);
    if (own > fewest) continue;
    ties = own === fewest ? ties + 1 : 1;
    fewest = own;
    if (ties === 1 || random() * ties < 1) best = choice;
  }
  return best;
}

/** A choice's own score; that of the best backend behind it, where it is another route. */
export function scoreOf({ id, backend, behind }: Choice, score: (backend: Weighed) => number): number {
  if (behind === undefined) return score(backend ?? { id });
  let fewest = Infinity;
  for (const inner of behind()) fewest = Math.min(fewest, score(inner));
  return fewest;
}

/** An entry that is sure to be there. */
export function at<C>(choices: readonly C[], index: number): C {
  const choice = choices[index];
  if (choice === undefined) throw new RangeError('nothing to choose from');
  return choice;
}
