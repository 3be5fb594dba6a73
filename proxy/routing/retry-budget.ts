// Rule 3 of failure.md: retries on the same backend and attempts on disabled ones stay a share of a route's requests, so
// that an outage is not answered with more traffic than usual. Failing over to an enabled backend is free.

import type { Clock } from '../canonical/clock.ts';

/** Bounds extra attempts per route. */
export interface RetryBudget {
  /** Counts one request of clients. */
  request(route: string): void;
  /** Takes one extra attempt out of the budget; false if there is none left. */
  take(route: string, budgetPercent: number): boolean;
}

/** The window, in slots: long enough to smooth bursts, short enough to recover with the upstream. */
const slotMs = 1000;
const slots = 10;
/** Always allowed per window, so that quiet routes can retry at all. */
const floor = 3;
/** Routes kept: more than a configuration holds; those unused longest are dropped. */
const routesMax = 10_000;

interface Window {
  readonly requests: number[];
  readonly taken: number[];
  /** Number of the latest slot, counted from the epoch. */
  slot: number;
}

/** Makes a budget. */
export function createRetryBudget({ clock }: { readonly clock: Clock }): RetryBudget {
  const windows = new Map<string, Window>();

  function windowOf(route: string): Window {
    const slot = Math.floor(clock.now() / slotMs);
    const window = windows.get(route) ?? { requests: emptySlots(), taken: emptySlots(), slot };
    // A clock that is set back leaves the window as it is until time has caught up.
    for (let ahead = Math.min(slot - window.slot, slots); ahead > 0; ahead -= 1) {
      window.requests[(slot - ahead + 1) % slots] = 0;
      window.taken[(slot - ahead + 1) % slots] = 0;
    }
    window.slot = Math.max(slot, window.slot);
    windows.delete(route);
    windows.set(route, window);
    if (windows.size > routesMax) dropOldest();
    return window;
  }

  function dropOldest(): void {
    for (const route of windows.keys()) {
      windows.delete(route);
      return;
    }
  }

  return {
    request(route) {
      const window = windowOf(route);
      increment(window.requests, window.slot);
    },
    take(route, budgetPercent) {
      const window = windowOf(route);
      const allowed = Math.max(floor, Math.floor((sum(window.requests) * budgetPercent) / 100));
      if (sum(window.taken) >= allowed) return false;
      increment(window.taken, window.slot);
      return true;
    },
  };
}

function emptySlots(): number[] {
  return Array.from({ length: slots }, () => 0);
}

function increment(counts: number[], slot: number): void {
  counts[slot % slots] = (counts[slot % slots] ?? 0) + 1;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
