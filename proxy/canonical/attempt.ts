// How one request to an upstream came out, as far as failover is concerned.

import type { FailureSignal } from './failure.ts';

/** The outcome of an attempt. */
export type AttemptOutcome =
  /** Sure to be an answer: to be relayed. */
  | { readonly type: 'committed' }
  /** Whole, but with nothing in it: the next backend may do better; if none does, it may still be relayed. */
  | { readonly type: 'empty'; readonly signal: FailureSignal }
  /** `staleSocket`: the kept-alive connection was dead before it was used; nothing of the request was seen by anyone. */
  | { readonly type: 'failed'; readonly signal: FailureSignal; readonly staleSocket: boolean }
  /** The time for the whole request is over. */
  | { readonly type: 'deadline' }
  /** Stopped from our side: the client left, or a drain came to its end. */
  | { readonly type: 'aborted' };
