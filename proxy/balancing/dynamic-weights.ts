// DynamicWeighted: at random by weights that adapt. A backend's own weight is scaled by how fast it is compared with the
// fastest, and by its share of successes; never to less than a tenth, so that it goes on being measured and recovers.

import { at } from './least.ts';
import type { LoadBook } from './load-book.ts';
import type { Choice, Picker, PickContext, Weighed } from './picker.ts';

/** The least share of its own weight that a backend keeps, however slow or broken. */
const factorMin = 0.1;

/** Makes the picker. Backends that were never measured count as the fastest. */
export function createDynamicWeights(random: () => number, loads: LoadBook): Picker {
  // Used anew by each pick, which never waits for anything: no garbage.
  const weights: number[] = [];
  return {
    pick(eligible, context) {
      const fastestMs = fastest(eligible, context, loads);
      let total = 0;
      for (let index = 0; index < eligible.length; index += 1) {
        const choice = at(eligible, index);
        const weight = choice.weight * factorOf(choice, fastestMs, context, loads);
        weights[index] = weight;
        total += weight;
      }
      // Where all are spares, weights say nothing.
      if (total === 0) return at(eligible, Math.floor(random() * eligible.length));
      let left = random() * total;
      for (let index = 0; index < eligible.length; index += 1) {
        left -= weights[index] ?? 0;
        if (left < 0) return at(eligible, index);
      }
      return at(eligible, eligible.length - 1);
    },
  };
}

function fastest(eligible: readonly Choice[], { stream }: PickContext, loads: LoadBook): number {
  let fastestMs = Infinity;
  const compare = ({ id }: Weighed): void => {
    const { meanMs } = loads.of(id).latency(stream);
    if (meanMs !== undefined && meanMs < fastestMs) fastestMs = meanMs;
  };
  for (const choice of eligible) {
    if (choice.behind === undefined) compare(choice.backend ?? choice);
    else choice.behind().forEach(compare);
  }
  return fastestMs;
}

function factorOf(choice: Choice, fastestMs: number, context: PickContext, loads: LoadBook): number {
  if (choice.behind === undefined) return factorOfBackend(choice.backend ?? choice, fastestMs, context, loads);
  const factors = choice.behind().map((backend) => factorOfBackend(backend, fastestMs, context, loads));
  return Math.max(factorMin, ...factors);
}

function factorOfBackend({ id }: Weighed, fastestMs: number, { stream }: PickContext, loads: LoadBook): number {
  const load = loads.of(id);
  const { meanMs = 0 } = load.latency(stream);
  const speed = meanMs > 0 ? Math.min(1, fastestMs / meanMs) : 1;
  return Math.max(factorMin, speed * (1 - load.failing));
}
