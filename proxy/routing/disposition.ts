// What happens next after a failure: another key, another backend, the same one again, or nothing. One table over the
// classes; pure.

import type { Failure, FailureClass } from '../canonical/failure.ts';
import { type FailureSettings, isListedStatus } from './failure-settings.ts';

/** What is to be tried after a failure. */
export type NextStep =
  /** Another key of the same pool; `otherAccount`: only one that belongs to another account can do better. */
  | { readonly type: 'next-key'; readonly otherAccount: boolean }
  /** Another backend; `largerContext`: only one that declares a larger context than this one. */
  | { readonly type: 'next-backend'; readonly largerContext: boolean }
  | { readonly type: 'stop' };

/** Untried keys of the pool that may be used now. */
export interface KeysLeft {
  readonly any: boolean;
  /** Of another organization or project than the key that failed. */
  readonly otherAccount: boolean;
}

/** The columns "next key" of the decision table: which keys may do better where one has failed; for the others none. */
const nextKey: Readonly<Partial<Record<FailureClass, 'any' | 'other-account'>>> = {
  RateLimit: 'any',
  Quota: 'any',
  Authentication: 'any',
  Permission: 'any',
  ModelNotFound: 'other-account',
};

/**
 * What to try after a failure before content. Keys come before backends and do not ask `failover.on`, which is about
 * other backends; `statusCodes` sends anything to any backend.
 */
export function nextStep(failure: Failure, settings: FailureSettings, keysLeft: KeysLeft): NextStep {
  // Rule 9: another key or backend would get the same credentials of the client's.
  if (isPassedOn(failure)) return { type: 'stop' };
  const column = failure.scope === 'backend' && failure.class === 'Permission' ? undefined : nextKey[failure.class];
  if (column === 'any' && keysLeft.any) return { type: 'next-key', otherAccount: false };
  if (column === 'other-account' && keysLeft.otherAccount) return { type: 'next-key', otherAccount: true };
  if (isListedStatus(failure.status, settings)) return { type: 'next-backend', largerContext: false };
  if (!settings.on.includes(failure.class)) return { type: 'stop' };
  return { type: 'next-backend', largerContext: failure.class === 'ContextLength' };
}

/** A refusal of the client's own credentials, to be told to it as it is. */
export function isPassedOn({ class: failureClass, client }: Failure): boolean {
  return client !== undefined && passable.includes(failureClass);
}

const passable: readonly FailureClass[] = ['Authentication', 'Permission', 'RateLimit', 'Quota'];

/**
 * Rule 2: milliseconds after which the same backend may be asked again, or undefined if it must not be. `retries` is how
 * often it has been asked again already, `random` gives numbers from 0 to below 1.
 */
export function retryWaitMs(
  failure: Failure,
  { attempts, baseMillis, maxMillis, jitterPercent }: FailureSettings['retry'],
  retries: number,
  random: () => number,
): number | undefined {
  if (retries >= attempts || !mayRetry(failure)) return undefined;
  // Jitter only shortens: a wait that fits below the maximum must not be drawn above it. 2^30 is beyond every maximum.
  const backoffMs = baseMillis * 2 ** Math.min(retries, 30) * (1 - (Math.min(jitterPercent, 100) / 100) * random());
  const waitMs = Math.max(backoffMs, failure.retryAfterMs ?? 0);
  return waitMs > maxMillis ? undefined : Math.ceil(waitMs);
}

/** Limits, errors, overload, and connections that broke; never timeouts, and nothing that would only repeat itself. */
function mayRetry(failure: Failure): boolean {
  if (isPassedOn(failure)) return false;
  switch (failure.class) {
    case 'RateLimit':
      return failure.scope !== 'none';
    case 'ServerError':
    case 'Overloaded':
      return true;
    case 'Connect':
      return failure.fault === 'reset';
    default:
      return false;
  }
}
