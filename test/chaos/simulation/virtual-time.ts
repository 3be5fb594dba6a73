// Time that a simulation owns: events in the order of their times, chance deciding between equal ones, and all promises
// settled between two of them, as between two turns of an event loop.

import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { Timer } from '../../../proxy/canonical/clock.ts';
import { seededRandom } from '../crowd.ts';

setFlagsFromString('--allow-natives-syntax');
/**
 * Settles every promise that can be settled now. V8 ignores it when it is called from a promise itself. A turn of the
 * real event loop would do the same at a hundred times the cost.
 */
const settlePromises = runInThisContext('() => %PerformMicrotaskCheckpoint()') as () => void;
// Compiled by its first call, while its syntax is known.
settlePromises();
setFlagsFromString('--no-allow-natives-syntax');

/** Chance that is the same in every run of a seed. */
export class Chance {
  /** From 0 to below 1. */
  readonly number: () => number;

  constructor(seed: number) {
    this.number = seededRandom(seed);
    // Neighbouring seeds begin alike.
    for (let drawn = 0; drawn < 4; drawn += 1) this.number();
  }

  /** A chance of its own, so that what one part draws does not change what another does. */
  fork(): Chance {
    return new Chance(Math.floor(this.number() * 2 ** 31));
  }

  /** Whether something happens that does so with this probability. */
  is(probability: number): boolean {
    return this.number() < probability;
  }

  between(least: number, most: number): number {
    return least + this.number() * (most - least);
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.number() * count);
  }

  one<T>(things: readonly T[]): T {
    const thing = things[this.below(things.length)];
    if (thing === undefined) throw new RangeError('nothing to choose from');
    return thing;
  }
}

interface Event {
  readonly atMs: number;
  readonly tie: number;
  fire: (() => void) | undefined;
}

/** Virtual milliseconds at which every simulation begins. */
export const beginMs = 1_800_000_000_000;

/** Virtual time; it only moves from event to event. */
export class VirtualTime {
  nowMs = beginMs;
  /** Events that have fired. */
  fired = 0;
  readonly #heap: Event[] = [];
  readonly #tie: () => number;

  constructor(chance: Chance) {
    this.#tie = chance.number;
  }

  /** Fires after so many milliseconds, fractions included. */
  after(delayMs: number, fire: () => void): Timer {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), tie: this.#tie(), fire };
    this.#push(event);
    return { cancel: () => (event.fire = undefined) };
  }

  /** Runs everything up to that time. Must not be called from a promise. */
  run(untilMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#pop();
      const { fire } = first;
      if (fire === undefined) continue;
      this.nowMs = first.atMs;
      this.fired += 1;
      fire();
      settlePromises();
    }
    this.nowMs = untilMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Event;
      if (!isBefore(event, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Event)) below += 1;
      const child = heap[below] as Event;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.tie < other.tie);
}
