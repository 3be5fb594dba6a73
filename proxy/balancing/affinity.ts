// Affinity: requests that have something in common meet the same backend, so that its prompt cache is warm. Weighted
// rendezvous hashing: when a backend goes, only its own requests move, and they come back with it. With bounded loads: a
// backend that is busier than its share gives to the next one. https://arxiv.org/abs/1608.01350

import { mix } from './hash.ts';
import { at } from './least.ts';
import type { Load, LoadBook } from './load-book.ts';
import type { AffinityConfig, Choice, Picker } from './picker.ts';

/** How much more than its share of the requests under way a backend may have. */
const boundFactor = 1.25;

/** Requests under way that no backend is too busy for: shares of a few requests mean nothing. */
const boundMin = 8;

/** Where a rule does not say. */
const defaultAffinity: AffinityConfig = { on: 'Conversation' };

/** Makes the picker. Requests with nothing in common with any other go anywhere, by weight. */
export function createAffinity(random: () => number, loads: LoadBook): Picker {
  // Used anew by each pick, which never waits for anything: no garbage, and each load is looked up once.
  const known: Load[] = [];
  return {
    pick(eligible, context, { affinity = defaultAffinity }) {
      const key = context.keyOf(affinity) ?? Math.floor(random() * 2 ** 32);
      let inFlight = 1;
      let weights = 0;
      for (let index = 0; index < eligible.length; index += 1) {
        const choice = at(eligible, index);
        const load = (known[index] = loads.of(choice.id));
        inFlight += inFlightOf(choice, load, loads);
        weights += choice.weight;
      }
      let first = at(eligible, 0);
      let firstFree: typeof first | undefined;
      let shortest = Infinity;
      let shortestFree = Infinity;
      for (let index = 0; index < eligible.length; index += 1) {
        const choice = at(eligible, index);
        const load = at(known, index);
        // Where all are spares, weights say nothing.
        const weight = weights === 0 ? 1 : choice.weight;
        const distance = distanceOf(key, load.hash, weight);
        if (distance < shortest) {
          shortest = distance;
          first = choice;
        }
        if (distance >= shortestFree) continue;
        const bound = Math.max(boundMin, (boundFactor * inFlight * weight) / (weights || eligible.length));
        if (inFlightOf(choice, load, loads) + 1 > bound) continue;
        shortestFree = distance;
        firstFree = choice;
      }
      return firstFree ?? first;
    },
  };
}

/** How far a key is from a choice; the nearest has it. -ln(u)/w gives each its share: https://doi.org/10.1109/90.663936 */
function distanceOf(key: number, hash: number, weight: number): number {
  return weight === 0 ? Infinity : -Math.log((mix(key ^ hash) + 0.5) / 2 ** 32) / weight;
}

function inFlightOf({ behind }: Choice, own: Load, loads: LoadBook): number {
  if (behind === undefined) return own.inFlight;
  return behind().reduce((sum, backend) => sum + loads.of(backend.id).inFlight, 0);
}
