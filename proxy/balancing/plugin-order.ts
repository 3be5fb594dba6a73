// Plugin: the order that a module gave before anybody picks; where it gave none, chance decides.

import { at } from './least.ts';
import type { Picker } from './picker.ts';

/** Makes the picker. Who is not named comes after all that are. */
export function createPluginOrder(random: () => number): Picker {
  return {
    pick(eligible, context, { id = '' }) {
      const places = context.placesIn(id);
      const placed = places === undefined ? [] : eligible.filter((choice) => places.has(choice.id));
      if (places === undefined || placed.length === 0) return at(eligible, Math.floor(random() * eligible.length));
      return placed.reduce((first, choice) =>
        (places.get(choice.id) ?? 0) < (places.get(first.id) ?? 0) ? choice : first,
      );
    },
  };
}
