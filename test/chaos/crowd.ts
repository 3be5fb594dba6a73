// Many clients at once, and the table that a run prints in the end.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Runs `count` tasks by their numbers, so many at a time. */
export async function crowd(count: number, atOnce: number, task: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/** Numbers from 0 to below 1 that are the same in every run, so that what a run finds can be found again. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    // mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several things, by chance. */
export function oneOf<T>(things: readonly T[], random: () => number): T {
  const thing = things[Math.floor(random() * things.length)];
  if (thing === undefined) throw new RangeError('nothing to choose from');
  return thing;
}

/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, this.of(name) + by);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  toString(): string {
    const sorted = [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
    return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
  }
}

/**
 * Watches for stalls of this process, in which clients, gateway and upstreams are. The result says what may lie between
 * a failure and the arrival of a request that was sent before it was known: two turns of a loop that stood still.
 */
export function watchStalls(): () => number {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  return () => {
    delay.disable();
    return 50 + (2 * delay.max) / 1e6;
  };
}

/** Prints what a run came to. */
export function printTable(title: string, rows: Readonly<Record<string, string | number>>): void {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  const lines = Object.entries(rows).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  process.stdout.write(`\n${title}\n${lines.join('\n')}\n`);
}
