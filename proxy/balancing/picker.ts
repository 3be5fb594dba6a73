// Load balancing inside one priority tier, and among the keys of a pool: who is next, among those that may be used now.

/** Something to choose from. */
export interface Choice {
  /** Stable across configurations: the picker's memory is keyed by it. */
  readonly id: string;
  readonly weight: number;
}

/** Chooses among what is eligible. Remembers by id, so that a new configuration does not start its turn anew. */
export interface Picker {
  /** One of the given choices; there is at least one. */
  pick<C extends Choice>(eligible: readonly C[]): C;
}

/** Strategies that this version has. */
export type PickerStrategy = 'Random' | 'RoundRobin' | 'Weighted' | 'LeastUsed';

/** The strategy of a rule, as a picker; undefined where this version has none. */
export function toPickerStrategy(strategy: string): PickerStrategy | undefined {
  return strategy === 'Random' || strategy === 'RoundRobin' || strategy === 'Weighted' ? strategy : undefined;
}

/** Makes a picker. `random` gives numbers in [0, 1). */
export function createPicker(strategy: PickerStrategy, random: () => number): Picker {
  switch (strategy) {
    case 'Random':
      return { pick: (eligible) => at(eligible, Math.floor(random() * eligible.length)) };
    case 'RoundRobin':
      return createTurns(() => 1);
    case 'Weighted':
      return createTurns((choice) => choice.weight);
    case 'LeastUsed':
      return createLeastUsed();
  }
}

/**
 * Smooth weighted round robin: each turn everyone gains its weight, the richest is chosen and pays the sum. Equal
 * weights give plain round robin. https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream
 */
function createTurns(weightOf: (choice: Choice) => number): Picker {
  const credit = new Map<string, number>();
  return {
    pick(eligible) {
      // A weight of 0 is a spare: it has its turn only where nobody has more.
      const isSpare = eligible.every((choice) => weightOf(choice) === 0);
      let total = 0;
      let richest = at(eligible, 0);
      let most = -Infinity;
      for (const choice of eligible) {
        const weight = isSpare ? 1 : weightOf(choice);
        if (weight === 0) continue;
        const current = (credit.get(choice.id) ?? 0) + weight;
        credit.set(choice.id, current);
        total += weight;
        if (current > most) {
          most = current;
          richest = choice;
        }
      }
      credit.set(richest.id, most - total);
      forgetSome(credit);
      return richest;
    },
  };
}

/** The choice that was picked least often; ties go to the first. A newcomer starts level with the least used. */
function createLeastUsed(): Picker {
  const used = new Map<string, number>();
  return {
    pick(eligible) {
      const known = eligible.map((choice) => used.get(choice.id)).filter((count) => count !== undefined);
      const floor = known.length === 0 ? 0 : Math.min(...known);
      let least = at(eligible, 0);
      let fewest = Infinity;
      for (const choice of eligible) {
        const count = used.get(choice.id) ?? floor;
        // Noted at once: one that is always level with the least used would never have its turn.
        used.set(choice.id, count);
        if (count < fewest) {
          fewest = count;
          least = choice;
        }
      }
      used.set(least.id, fewest + 1);
      forgetSome(used);
      return least;
    },
  };
}

/** A tier has at most 32 candidates and a pool a few hundred keys; far more ids are leftovers of old configurations. */
const remembered = 10_000;

function forgetSome(memory: Map<string, number>): void {
  for (const oldest of memory.keys()) {
    if (memory.size <= remembered) return;
    memory.delete(oldest);
  }
}

function at<C>(choices: readonly C[], index: number): C {
  const choice = choices[index];
  if (choice === undefined) throw new RangeError('nothing to choose from');
  return choice;
}
