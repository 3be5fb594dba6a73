// How long to wait before the next try of something that failed: doubling, with full jitter, from the start again once
// it has worked for a while. The rules of client-go's reflector.

import type { Clock } from '../clock.ts';

const firstMs = 800;
/** A third of client-go's: a dozen watches of one operator are no herd, and what they miss reaches no proxy. */
const maxMs = 10_000;
/** A success that lasts this long starts again from the beginning. */
const healthyMs = 120_000;

/** The waits of one thing that is tried again and again. */
export interface Backoff {
  /** The next wait, at least `leastMs` (what a server asked for). */
  next(leastMs?: number): number;
  /** It works; if it goes on doing so, the next failure is a first one. */
  succeeded(): void;
}

/** Makes the waits. */
export function createBackoff({ monotonic }: Pick<Clock, 'monotonic'>, random: () => number): Backoff {
  let failures = 0;
  let workingSinceMs: number | undefined;
  return {
    next(leastMs = 0) {
      if (workingSinceMs !== undefined && monotonic() - workingSinceMs >= healthyMs) failures = 0;
      workingSinceMs = undefined;
      const ceiling = Math.min(firstMs * 2 ** failures, maxMs);
      failures += 1;
      return Math.max(leastMs, random() * ceiling);
    },
    succeeded() {
      workingSinceMs ??= monotonic();
    },
  };
}
