// LeastUsed: the choice that was picked least often. Exactly even in one process, and so are the sums over many: each is
// even by itself, and none begins with the same one.

import { at } from './least.ts';
import { forgetSome } from './memory.ts';
import type { Choice, Picker } from './picker.ts';

/**
 * How far one that was away may lag behind when it returns, in picks: what it missed while it was disabled is not made
 * up for, or it would get everything at once. More than retries ever leave one out in a row.
 */
const lagMax = 8;

/** Makes the picker. A newcomer starts level with the least used. */
export function createLeastUsed(random: () => number): Picker {
  const uses = new Map<string, Use>();
  let turn = 0;
  return {
    pick(eligible) {
      turn += 1;
      const floor = floorOf(eligible);
      const start = Math.floor(random() * eligible.length);
      let leastUsed = at(eligible, start);
      let chosen: Use | undefined;
      for (let step = 0; step < eligible.length; step += 1) {
        const index = start + step;
        const choice = at(eligible, index < eligible.length ? index : index - eligible.length);
        let use = uses.get(choice.id);
        // Noted at once: one that is always level with the least used would never have its turn.
        if (use === undefined) uses.set(choice.id, (use = { count: floor, seenAt: turn }));
        if (turn - use.seenAt > lagMax && use.count < floor) use.count = floor;
        use.seenAt = turn;
        if (chosen === undefined || use.count < chosen.count) {
          chosen = use;
          leastUsed = choice;
        }
      }
      if (chosen !== undefined) chosen.count += 1;
      forgetSome(uses);
      return leastUsed;
    },
  };

  /** The least count of those that were there of late; of all, where none was. */
  function floorOf(eligible: readonly Choice[]): number {
    let present = Infinity;
    let known = Infinity;
    for (const { id } of eligible) {
      const use = uses.get(id);
      if (use === undefined) continue;
      if (use.count < known) known = use.count;
      if (turn - use.seenAt <= lagMax && use.count < present) present = use.count;
    }
    if (present !== Infinity) return present;
    return known === Infinity ? 0 : known;
  }
}

interface Use {
  count: number;
  /** The turn in which it could last be picked. */
  seenAt: number;
}
