// How long an item that failed waits before its next try: twice as long each time, every item for itself.

/** The first wait. Most failures are conflicts with another writer, and over at once. */
const firstMs = 5;
/**
 * The longest wait. client-go's is 1000 s; but what fails here for long waits for somebody to mend something outside the
 * cluster's objects (a permission, a webhook), and who has mended it should not wait a quarter of an hour to see so.
 */
export const retryMsMax = 5 * 60_000;

/** The waits of items that fail. */
export interface RateLimiter {
  /** Counts a failure and says how long to wait after it. */
  next(key: string): number;
  /** Failures since the item was last forgotten. */
  retries(key: string): number;
  /** The item succeeded: its next failure is a first one. */
  forget(key: string): void;
}

/** Nothing has failed yet. */
export function createRateLimiter(): RateLimiter {
  const failures = new Map<string, number>();
  return {
    next(key) {
      const before = failures.get(key) ?? 0;
      failures.set(key, before + 1);
      return Math.min(firstMs * 2 ** before, retryMsMax);
    },
    retries: (key) => failures.get(key) ?? 0,
    forget: (key) => void failures.delete(key),
  };
}
