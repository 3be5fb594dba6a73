// Which strategy is which picker.

import type { Strategy } from '../config/schema.ts';
import { createAffinity } from './affinity.ts';
import { createCheapest } from './cheapest.ts';
import { createDynamicWeights } from './dynamic-weights.ts';
import { createLeastBusy } from './least-busy.ts';
import { createLeastLatency } from './least-latency.ts';
import { at } from './least.ts';
import { createLeastUsed } from './least-used.ts';
import type { LoadBook } from './load-book.ts';
import type { Picker } from './picker.ts';
import { createPluginOrder } from './plugin-order.ts';
import { createRandom } from './random.ts';
import { createTurns } from './turns.ts';

/** What pickers stand on. */
export interface PickerSettings {
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly loads: LoadBook;
}

/** Makes a picker. */
export function createPicker(strategy: Strategy, { random, loads }: PickerSettings): Picker {
  switch (strategy) {
    case 'Random':
      return createRandom(random);
    case 'RoundRobin':
      return createTurns(() => 1, random);
    case 'Weighted':
      return createTurns((choice) => choice.weight);
    case 'LeastUsed':
      return createLeastUsed(random);
    case 'LeastBusy':
      return createLeastBusy(random, loads);
    case 'LeastLatency':
      return createLeastLatency(random, loads);
    case 'DynamicWeighted':
      return createDynamicWeights(random, loads);
    case 'Cheapest':
      return createCheapest(random);
    case 'FirstAvailable':
      // Who is free is decided before anybody picks: what is eligible holds its slot.
      return { pick: (eligible) => at(eligible, 0) };
    case 'Plugin':
      return createPluginOrder(random);
    case 'Affinity':
      return createAffinity(random, loads);
  }
}
