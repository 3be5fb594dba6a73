// Time under the control of a test: it stands still until it is turned, and timers fire in their order.

import type { Clock, Timer } from '../../proxy/canonical/clock.ts';

interface PendingTimer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** A clock that only moves when told to. */
export class TestClock implements Clock {
  #nowMs: number;
  #timers: PendingTimer[] = [];

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((it) => it !== timer)) };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Goes forward and fires what is due on the way, timers that were set on the way too. */
  turn(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  /** The same; after each timer, what it started goes on as far as it can. `onStep` is called each time. */
  async run(forMs: number, onStep?: () => void): Promise<void> {
    const endMs = this.#nowMs + forMs;
    await settled();
    while (this.#fireNext(endMs)) {
      await settled();
      onStep?.();
    }
    this.#nowMs = endMs;
    onStep?.();
  }

  /** Time goes on, and nothing fires: what a process sees that is stopped. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  #fireNext(endMs: number): boolean {
    const due = this.#take(endMs);
    if (due === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, due.atMs);
    due.fire();
    return true;
  }

  #take(endMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= endMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    this.#timers = this.#timers.filter((timer) => timer !== first);
    return first;
  }
}

/** Resolves when everything that was already resolved has been heard of, in promises of promises too. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
