// What this proxy has seen of each upstream key: whether it ever worked, when last, and how often it was refused since.
// Rule 9 of failure.md judges a refused key by it.

import type { Clock } from '../canonical/clock.ts';
import type { KeyHistory } from './consequence.ts';

/** Remembers keys by their target, `key:namespace/name`. */
export interface KeyHistories {
  worked(key: string): void;
  /** The key was refused and rests for it. */
  refused(key: string): void;
  of(key: string | undefined): KeyHistory;
  /** Drops all others: keys that are no longer configured, and those whose Secret has changed. */
  retain(keys: ReadonlySet<string>): void;
}

const unknown: KeyHistory = { lastWorkedAtMs: undefined, refusals: 0 };

/** Makes an empty memory. Its size is that of the configuration, which `retain` follows. */
export function createKeyHistories({ clock }: { readonly clock: Clock }): KeyHistories {
  const histories = new Map<string, KeyHistory>();
  return {
    worked(key) {
      histories.set(key, { lastWorkedAtMs: clock.now(), refusals: 0 });
    },
    refused(key) {
      const history = histories.get(key) ?? unknown;
      histories.set(key, { ...history, refusals: history.refusals + 1 });
    },
    of: (key) => (key === undefined ? unknown : (histories.get(key) ?? unknown)),
    retain(keys) {
      for (const key of histories.keys()) if (!keys.has(key)) histories.delete(key);
    },
  };
}
