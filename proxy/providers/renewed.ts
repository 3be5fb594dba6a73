// Values that end: kept until shortly before, and got anew by one request at a time while the old one still works.

import type { Clock } from '../canonical/clock.ts';

/** A value and its end in Unix milliseconds. */
export interface Expiring<Value> {
  readonly value: Value;
  readonly expiresAtMs: number;
}

/** Values by what they are got for. */
export interface Renewed<Value> {
  /** The value to use now. Rejects as `get` does where there is none. */
  of(key: string): Promise<Value>;
  /** Forgets the values of all other keys. */
  retain(keys: ReadonlySet<string>): void;
}

/** What getting values needs. */
export interface RenewedSettings<Value> {
  readonly clock: Pick<Clock, 'now'>;
  readonly get: (key: string) => Promise<Expiring<Value>>;
}

/**
 * From here on a new value is got while the old one is used: longer than any outage that nobody notices. Of a value that
 * lives less than twice as long, from the middle of its life on.
 */
const refreshMs = 5 * 60_000;
/** So near to its end a value is not begun with: clocks differ, and requests take time. */
const leewayMs = 30_000;
/** So long after a failure the same is not tried again: requests come by the hundred. */
const failureMs = 2_000;

interface Entry<Value> {
  current: Expiring<Value> | undefined;
  /** What is left of the current value when a new one is got. */
  refreshMs: number;
  getting: Promise<Expiring<Value>> | undefined;
  failure: { readonly error: unknown; readonly atMs: number } | undefined;
}

/** Makes a store that has no values yet. */
export function createRenewed<Value>({ clock, get }: RenewedSettings<Value>): Renewed<Value> {
  const entries = new Map<string, Entry<Value>>();

  async function getAnew(key: string, entry: Entry<Value>): Promise<Expiring<Value>> {
    try {
      entry.current = await get(key);
      entry.refreshMs = Math.max(leewayMs, Math.min(refreshMs, (entry.current.expiresAtMs - clock.now()) / 2));
      entry.failure = undefined;
      return entry.current;
    } catch (error) {
      entry.failure = { error, atMs: clock.now() };
      throw error;
    } finally {
      entry.getting = undefined;
    }
  }

  return {
    async of(key) {
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = { current: undefined, refreshMs, getting: undefined, failure: undefined };
        entries.set(key, entry);
      }
      const { current, failure } = entry;
      const leftMs = (current?.expiresAtMs ?? 0) - clock.now();
      const failedJustNow = failure !== undefined && clock.now() - failure.atMs < failureMs;
      if (leftMs <= entry.refreshMs && !failedJustNow) entry.getting ??= getAnew(key, entry);
      if (current !== undefined && leftMs > leewayMs) {
        // Whether the new one comes concerns nobody as long as the old one works.
        entry.getting?.catch(() => undefined);
        return current.value;
      }
      if (entry.getting !== undefined) return (await entry.getting).value;
      throw failure?.error;
    },
    retain(keys) {
      for (const key of entries.keys()) if (!keys.has(key)) entries.delete(key);
    },
  };
}
