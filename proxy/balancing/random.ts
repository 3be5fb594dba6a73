// Random: each with the same probability, whatever the weights.

import { at } from './least.ts';
import type { Picker } from './picker.ts';

/** Makes the picker. */
export function createRandom(random: () => number): Picker {
  return { pick: (eligible) => at(eligible, Math.floor(random() * eligible.length)) };
}
