// Keeps one object that changes its mind for ever from filling etcd with Events: so many at once, then one in a while.

import type { Clock } from '../clock.ts';

/** client-go's numbers: an object that is created and goes wrong in every way stays below the first. */
const burst = 25;
const refillMs = 5 * 60_000;
/** Objects that are watched over; those that were quiet longest are forgotten, which only lets them say more. */
const objectsMax = 4096;

/** Says whether one more Event about an object may be made. */
export interface SpamFilter {
  admit(object: string): boolean;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Every object may have a full burst. */
export function createSpamFilter({ monotonic }: Pick<Clock, 'monotonic'>): SpamFilter {
  /** In the order in which they were last used. */
  const buckets = new Map<string, Bucket>();
  return {
    admit(object) {
      const nowMs = monotonic();
      const { tokens, atMs } = buckets.get(object) ?? { tokens: burst, atMs: nowMs };
      const filled = Math.min(burst, tokens + (nowMs - atMs) / refillMs);
      buckets.delete(object);
      buckets.set(object, { tokens: filled >= 1 ? filled - 1 : filled, atMs: nowMs });
      const [oldest] = buckets.keys();
      if (buckets.size > objectsMax && oldest !== undefined) buckets.delete(oldest);
      return filled >= 1;
    },
  };
}
