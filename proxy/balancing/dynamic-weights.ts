// DynamicWeighted: at random by weights that adapt. A backend's own weight is scaled by how fast it is compared with the
// fastest, and by its share of successes; never to less than a tenth, so that it goes on being measured and recovers.

import { at } from './least.ts';
import type { Load, LoadBook } from './load-book.ts';
import type { Choice, Picker } from './picker.ts';

/** The least share of its own weight that a backend keeps, however slow or broken. */
const factorMin = 0.1;

/** Makes the picker. Backends that were never measured count as the fastest. */
export function createDynamicWeights(random: () => number, loads: LoadBook): Picker {
  // Used anew by each pick, which never waits for anything: no garbage, and each load is looked up once.
  const best: Load[] = [];
  const weights: number[] = [];
  return {
    pick(eligible, { stream }) {
      let fastestMs = Infinity;
      for (let index = 0; index < eligible.length; index += 1) {
        const load = (best[index] = bestOf(at(eligible, index), stream, loads));
        fastestMs = Math.min(fastestMs, load.latency(stream).meanMs ?? Infinity);
      }
      let total = 0;
      for (let index = 0; index < eligible.length; index += 1) {
        total += weights[index] = at(eligible, index).weight * factorOf(at(best, index), fastestMs, stream);
      }
      // Where all are spares, weights say nothing.
      if (total === 0) return at(eligible, Math.floor(random() * eligible.length));
      let left = random() * total;
      for (let index = 0; index < eligible.length; index += 1) {
        left -= at(weights, index);
        if (left < 0) return at(eligible, index);
      }
      return at(eligible, eligible.length - 1);
    },
  };
}

/** The load of a choice: of the best backend behind it, where it is another route. */
function bestOf({ id, behind }: Choice, stream: boolean, loads: LoadBook): Load {
  if (behind === undefined) return loads.of(id);
  const behindIt = behind().map((backend) => loads.of(backend.id));
  const cost = (load: Load): number => (load.latency(stream).meanMs ?? 0) / (1 - load.failing || Number.MIN_VALUE);
  return behindIt.reduce((a, b) => (cost(b) < cost(a) ? b : a), behindIt[0] ?? loads.of(id));
}

function factorOf(load: Load, fastestMs: number, stream: boolean): number {
  const { meanMs = 0 } = load.latency(stream);
  const speed = meanMs > 0 ? Math.min(1, fastestMs / meanMs) : 1;
  return Math.max(factorMin, speed * (1 - load.failing));
}
