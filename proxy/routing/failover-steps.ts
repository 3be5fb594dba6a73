// What the failover loop asks of the rest of the proxy, and what it hears.

import type { AttemptOutcome } from '../canonical/attempt.ts';
import type { Failure, FailureSignal } from '../canonical/failure.ts';
import type { Backend, UpstreamKey } from '../config/snapshot.ts';
import type { Visit } from './visit.ts';

/** One request that was sent, and the way to stop it. */
export interface Attempt {
  readonly outcome: Promise<AttemptOutcome>;
  abort(): void;
  /** The same once more, on a fresh connection: the one it was sent on had been dead all along. */
  resend(): this;
}

/** What is to be done after a failure. */
export type NextStep =
  | { readonly type: 'same-backend'; readonly waitMs: number }
  | { readonly type: 'next-key'; readonly otherAccount: boolean }
  | {
      readonly type: 'next-backend';
      readonly accepts?: (backend: Backend) => boolean;
      readonly largerContext?: boolean;
    }
  /** The same once more, as if it had not been asked: what was refused was something that we had added. */
  | { readonly type: 'again' }
  | { readonly type: 'stop' };

/** What the loop asks of the rest of the proxy. `A` is whatever the pipeline relays in the end. */
export interface FailoverSteps<A extends Attempt> {
  /** Gets what a visit needs before anything is sent; whether it can be made then. Undefined: it needs nothing. */
  readonly prepare?: (visit: Visit) => Promise<boolean> | undefined;
  /**
   * Gets what the plan needs before it picks: the orders of plugins, a backend that serves one request at a time. True where
   * the plan has somebody then; if it gives nobody after all, it is asked again: others may come first now.
   */
  readonly free?: (accepts?: (backend: Backend) => boolean) => Promise<boolean> | boolean;
  readonly send: (visit: Visit, key: UpstreamKey | undefined) => A;
  /** Keys that may be tried at this backend, one at a time; asked again after each failure. */
  readonly nextKey: (
    visit: Visit,
    tried: ReadonlySet<string>,
    accountOtherThan?: UpstreamKey,
  ) => UpstreamKey | undefined;
  /** Whether a visit that has waited may send with this key: meanwhile its backend may be out, or the key refused. */
  readonly mayGoOn: (visit: Visit, key: UpstreamKey | undefined, wasSent: boolean) => 'yes' | 'with another key' | 'no';
  /** Whether a key that was given may be used now, asked once a visit; undefined: there is nothing to wait for. */
  readonly prepareKey?: (visit: Visit, key: UpstreamKey) => Promise<boolean> | undefined;
  /** A key that may be used, and is not: it is anybody's again. */
  readonly keyUnused: (visit: Visit, key: UpstreamKey) => void;
  /** Judges a failure, records what it disables, and says what next. */
  readonly judge: (failed: FailedAttempt<A>) => Verdict;
  readonly succeeded: (visit: Visit, key: UpstreamKey | undefined, attempt: A) => void;
  /** The visit ended without a verdict on its backend; no attempt where there was no key for one. */
  readonly released: (visit: Visit, key: UpstreamKey | undefined, attempt: A | undefined) => void;
  /** Whether an attempt on a disabled backend, or one beside another, is within the budget (rule 3). */
  readonly mayOverride: () => boolean;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** An attempt that failed, and where the request stands. */
export interface FailedAttempt<A> {
  readonly visit: Visit;
  readonly key: UpstreamKey | undefined;
  readonly attempt: A;
  readonly signal: FailureSignal;
  /** Same-backend retries made during this visit. */
  readonly retries: number;
  /** Keys of the pool that this visit has tried. */
  readonly tried: ReadonlySet<string>;
}

/** What a failure was, and what next. */
export interface Verdict {
  readonly failure: Failure;
  readonly next: NextStep;
}

/** How the search ended. */
export type FailoverEnd<A> =
  | { readonly type: 'committed'; readonly attempt: A; readonly visit: Visit }
  /** Nothing answered. `empty` is a whole answer with nothing in it, to be relayed for want of a better. */
  | {
      readonly type: 'exhausted';
      readonly failures: readonly Failure[];
      readonly empty: { readonly attempt: A; readonly visit: Visit } | undefined;
    }
  | { readonly type: 'deadline'; readonly failures: readonly Failure[] }
  | { readonly type: 'aborted' };
