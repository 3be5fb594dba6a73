// LeastBusy: of two at random, the one with fewer requests under way. Two choices keep the longest queue short without
// sending every proxy's requests to the same idle backend: https://www.eecs.harvard.edu/~michaelm/postscripts/tpds2001.pdf

import { at, scoreOf } from './least.ts';
import type { LoadBook } from './load-book.ts';
import type { Picker } from './picker.ts';

/** Makes the picker. What counts is what this proxy has sent: others' requests are not known in time. */
export function createLeastBusy(random: () => number, loads: LoadBook): Picker {
  const inFlight = ({ id }: { readonly id: string }): number => loads.of(id).inFlight;
  return {
    pick(eligible) {
      const first = Math.floor(random() * eligible.length);
      const one = at(eligible, first);
      if (eligible.length === 1) return one;
      const step = 1 + Math.floor(random() * (eligible.length - 1));
      const other = at(eligible, (first + step) % eligible.length);
      return scoreOf(other, inFlight) < scoreOf(one, inFlight) ? other : one;
    },
  };
}
