// Shared knowledge about what is broken: the seam between the local disable book and whatever carries it to the other
// proxies. Two implementations, memory and Redis, one conformance suite.

import type { FailureClass } from '../canonical/failure.ts';

/**
 * What can be disabled. A backend: `backend:namespace/route/name`; for one model only: `…#model`. A key:
 * `key:namespace/name`; for one model only: `…#model`. Stable across configurations.
 */
export type TargetId = string;

/** Why a target is disabled: what failed, or `Manual` for a person's decision. */
export type DisableReason = FailureClass | 'Manual';

/** One disabling of one target, hard or soft. The two kinds of a target live side by side. */
export interface DisableEntry {
  readonly target: TargetId;
  /** Hard ones are never overridden when nothing else is left. */
  readonly hard: boolean;
  readonly reason: DisableReason;
  /** Unix milliseconds by this process's clock. Number.MAX_SAFE_INTEGER = until a person enables it. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Id of the proxy that saw the failure. */
  readonly by: string;
  /** Time of the last clear that this entry knows of, by the store's clock; an entry older than a clear is void. */
  readonly generation: number;
}

/** A clear of a target, both kinds: voids every entry of an older generation. */
export interface ClearEntry {
  readonly target: TargetId;
  readonly generation: number;
}

/** News from other proxies. */
export type SharedNews = { readonly type: 'disable'; readonly entry: DisableEntry } | { readonly type: 'clear'; readonly clear: ClearEntry };

/** Whether the store can be relied on right now. */
export interface StoreHealth {
  readonly kind: 'memory' | 'redis';
  readonly state: 'ok' | 'down';
  /** Unix milliseconds of the last change of `state`. */
  readonly sinceMs: number;
  /** Proxies that share the store, this one included; the last known number while it is down. */
  readonly proxies: number;
  /** For people; never a URL with credentials. */
  readonly detail: string | undefined;
}

/** Carries disables between proxies. No method rejects, blocks, or throws: the request path must never notice it. */
export interface StateStore {
  /** Tells the others, as soon as may be. Fire and forget. */
  share(entry: DisableEntry): void;
  shareClear(clear: ClearEntry): void;
  /** Hears what the others share, and on (re)connection everything that is in force. One listener. */
  onNews(listener: (news: SharedNews) => void): void;
  health(): StoreHealth;
  /** Connects (if there is anything to connect to), reads what is in force, or gives up after `timeoutMs` and goes on in the background. */
  start(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What the request path reads: local, synchronous. */
export interface DisableBook {
  /** The entry in force that ends last (hard before soft), or undefined if the target is enabled. */
  find(target: TargetId): DisableEntry | undefined;
  /** Unix milliseconds until which the target is disabled; 0 = enabled. */
  until(target: TargetId): number;
  /** Records and shares. The later `until` wins, hard and soft apart; returns the entry in force. */
  disable(target: TargetId, cause: { readonly untilMs: number; readonly reason: DisableReason; readonly hard: boolean }): DisableEntry;
  /** Enables a target everywhere at once. */
  clear(target: TargetId): void;
  /** All entries in force. */
  list(): readonly DisableEntry[];
  /**
   * Rule 21: true if the caller may send to this target now. After a disable has ended, only one caller gets true until
   * `settleTrial`; a target that was never disabled always gives true.
   */
  claim(target: TargetId): boolean;
  /** Ends the trial of a target: a success forgets its past, a failure leaves it to a new disable. No-op if none runs. */
  settleTrial(target: TargetId, succeeded: boolean): void;
  /** How often in a row the target has been disabled without a calm as long as the last disable between (for `maxSeconds`). */
  repeats(target: TargetId): number;
  /** Local changes and news, for metrics and logs. */
  onChange(listener: (change: { readonly target: TargetId; readonly entry: DisableEntry | undefined }) => void): void;
}
