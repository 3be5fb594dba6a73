// Shared knowledge about what is broken: the seam between the local disable book and whatever carries it to the other
// proxies. Two implementations, memory and Redis, one conformance suite.

import type { FailureClass } from '../canonical/failure.ts';
import type { Leases } from './lease.ts';

/**
 * What can be disabled. A backend: `backend:namespace/route/name`; for one model only: `…#model`. A key:
 * `key:namespace/name`; for one model only: `…#model`. All backends of a provider: `provider:namespace/name`. Stable
 * across configurations.
 */
export type TargetId = string;

/** Why a target is disabled: what failed, `Probe` for a probe that did, or `Manual` for a person's decision. */
export type DisableReason = FailureClass | 'Probe' | 'Manual';

/** The `untilMs` of a disable that only a person ends. */
export const foreverMs = Number.MAX_SAFE_INTEGER;

/** One disabling of one target, hard or soft. The two kinds of a target live side by side. */
export interface DisableEntry {
  /** The same in every process that hears of it, so that a copy that travelled never lengthens the original. */
  readonly id: string;
  readonly target: TargetId;
  /** Hard ones are never overridden when nothing else is left. */
  readonly hard: boolean;
  readonly reason: DisableReason;
  /** Unix milliseconds by this process's clock. */
  readonly sinceMs: number;
  /** By this process's clock; `foreverMs` = until a person enables it. */
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
export type SharedNews =
  | { readonly type: 'disable'; readonly entry: DisableEntry }
  | { readonly type: 'clear'; readonly clear: ClearEntry };

/** The local side of a store: the disable book. */
export interface StatePeer {
  hear(news: SharedNews): void;
  /** All it knows to be in force, remembered clears first: what a store that lost its memory is told again. */
  facts(): Iterable<SharedNews>;
}

/** Where the shared state reports changes of its own condition: one line per change. A pino logger fits. */
export interface StateLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

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

/** Carries disables and leases between proxies. No method rejects, blocks, or throws: the request path must never notice it. */
export interface StateStore extends Leases {
  /** Tells the others, as soon as may be. Fire and forget: what gets lost is told again from the peer's facts. */
  share(entry: DisableEntry): void;
  shareClear(clear: ClearEntry): void;
  /** The store's clock in Unix milliseconds, which generations are counted in; an estimate where the store is remote. */
  time(): number;
  /** Connects the one local side: it hears what others share, and on (re)connection everything that is in force. */
  attach(peer: StatePeer): void;
  health(): StoreHealth;
  /** Connects (if there is anything to connect to), reads what is in force, or gives up after `timeoutMs` and goes on in the background. */
  start(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Why and for how long a target is to be disabled. */
export interface DisableCause {
  /** Unix milliseconds by this process's clock; `foreverMs` = until a person enables it. */
  readonly untilMs: number;
  readonly reason: DisableReason;
  readonly hard: boolean;
}

/** A target whose entries changed, and what is in force for it now. */
export interface DisableChange {
  readonly target: TargetId;
  readonly entry: DisableEntry | undefined;
}

/** What the request path reads: local, synchronous. */
export interface DisableBook {
  /** The entry in force, the hard one if there is one, or undefined if the target is enabled. */
  find(target: TargetId): DisableEntry | undefined;
  /** Unix milliseconds until which the target is disabled, hard or soft; 0 = enabled. */
  until(target: TargetId): number;
  /** Records and shares. The later `until` wins, hard and soft apart; returns the entry of that kind that is in force now. */
  disable(target: TargetId, cause: DisableCause): DisableEntry;
  /** Enables a target everywhere at once, hard and soft; nothing is left to be tried out. */
  clear(target: TargetId): void;
  /** All entries in force. */
  list(): readonly DisableEntry[];
  /**
   * Rule 21: true if the caller may send to this target now. After a disable has ended, only one caller gets true until
   * `settleTrial`; a target that was never disabled always gives true.
   */
  claim(target: TargetId): boolean;
  /**
   * Ends the trial of a target: after a success everybody may go, after a failure the next one is the trial again. For
   * every attempt that ends; those that began before the trial did (`begunMs`, by this process's clock) change nothing.
   */
  settleTrial(target: TargetId, succeeded: boolean, begunMs: number): void;
  /** Whether an attempt that began then (`begunMs`) is, or may be, the trial that is running. */
  isTrial(target: TargetId, begunMs: number): boolean;
  /** Disables in a row without a calm as long as the last of them in between; 0 at first (for `maxSeconds`). */
  repeats(target: TargetId): number;
  /** Local changes, news, and ends of disables, for metrics and logs. Ends are reported up to 50 ms late. */
  onChange(listener: (change: DisableChange) => void): void;
}
