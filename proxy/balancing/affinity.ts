// Affinity: requests that have something in common meet the same backend, so that its prompt cache is warm. Weighted
// rendezvous hashing: when a backend goes, only its own requests move, and they come back with it. With bounded loads: a
// backend that is busier than its share gives to the next one. https://arxiv.org/abs/1608.01350

import { at } from './least.ts';
import type { LoadBook } from './load-book.ts';
import { forgetSome } from './memory.ts';
import type { AffinityConfig, Choice, Picker } from './picker.ts';

/** How much more than its share of the requests under way a backend may have. */
const boundFactor = 1.25;

/** Requests under way that no backend is too busy for: shares of a few requests mean nothing. */
const boundMin = 8;

/** Where a rule does not say. */
const defaultAffinity: AffinityConfig = { on: 'Conversation' };

/** Makes the picker. Requests with nothing in common with any other go anywhere, by weight. */
export function createAffinity(random: () => number, loads: LoadBook): Picker {
  const hashes = new Map<string, number>();
  return {
    pick(eligible, context, { affinity = defaultAffinity }) {
      const key = context.keyOf(affinity) ?? Math.floor(random() * 2 ** 32);
      let inFlight = 1;
      let weights = 0;
      for (const choice of eligible) {
        inFlight += inFlightOf(choice, loads);
        weights += choice.weight;
      }
      let first = at(eligible, 0);
      let firstFree: typeof first | undefined;
      let shortest = Infinity;
      let shortestFree = Infinity;
      for (const choice of eligible) {
        // Where all are spares, weights say nothing.
        const weight = weights === 0 ? 1 : choice.weight;
        const distance = distanceOf(key, hashOf(choice.id), weight);
        if (distance < shortest) {
          shortest = distance;
          first = choice;
        }
        if (distance >= shortestFree) continue;
        const bound = Math.max(boundMin, (boundFactor * inFlight * weight) / (weights || eligible.length));
        if (inFlightOf(choice, loads) + 1 > bound) continue;
        shortestFree = distance;
        firstFree = choice;
      }
      forgetSome(hashes);
      return firstFree ?? first;
    },
  };

  function hashOf(id: string): number {
    let hash = hashes.get(id);
    if (hash === undefined) hashes.set(id, (hash = hashText(id)));
    return hash;
  }
}

/** How far a key is from a choice; the nearest has it. -ln(u)/w gives each its share: https://doi.org/10.1109/90.663936 */
function distanceOf(key: number, hash: number, weight: number): number {
  return weight === 0 ? Infinity : -Math.log((mix(key ^ hash) + 0.5) / 2 ** 32) / weight;
}

function inFlightOf({ id, behind }: Choice, loads: LoadBook): number {
  if (behind === undefined) return loads.of(id).inFlight;
  return behind().reduce((sum, backend) => sum + loads.of(backend.id).inFlight, 0);
}

/** FNV-1a, 32 bits, of a text's UTF-16 units. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Spreads 32 bits: the finalizer of MurmurHash3. https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp */
export function mix(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
