// What time it is at the store, known from its answers: proxies whose clocks disagree agree on the store's.

import type { Clock } from '../canonical/clock.ts';
import { foreverMs } from './store.ts';

/** Translates between this process's clock and the store's. */
export interface StoreClock {
  /** The store's time now; this process's own before the first sample. */
  now(): number;
  /** False before the first sample. */
  isKnown(): boolean;
  /** This process's time for a time of the store's. "For ever" stays for ever. */
  toLocal(storeMs: number): number;
  /** An answer: the store's time when it was made, and this process's when the question went out. */
  sample(storeMs: number, sentMs: number): void;
}

/** Clocks drift by up to 100 parts per million: in a minute an old sample is 6 ms off, and a new one is better. */
const sampleMaxAgeMs = 60_000;

/** A clock that follows a store's. */
export function createStoreClock(clock: Clock): StoreClock {
  // The offset lies between what it is if the answer took no time to come and what it is if the question took none.
  let low = -Infinity;
  let high = Infinity;
  let offset = 0;
  let sampledMs = 0;

  return {
    now: () => clock.now() + offset,
    isKnown: () => low !== -Infinity,
    toLocal: (storeMs) => (storeMs >= foreverMs ? foreverMs : Math.round(storeMs - offset)),
    sample(storeMs, sentMs) {
      const nowMs = clock.now();
      // Times are cut to whole milliseconds on both sides.
      const lowest = storeMs - nowMs - 1;
      const highest = storeMs - sentMs + 1;
      const narrower = highest - lowest <= high - low;
      // One of the two clocks was set: what was known before is worthless.
      const contradicts = lowest > high || highest < low;
      if (!narrower && !contradicts && nowMs - sampledMs < sampleMaxAgeMs) return;
      [low, high, sampledMs] = [lowest, highest, nowMs];
      offset = (low + high) / 2;
    },
  };
}
