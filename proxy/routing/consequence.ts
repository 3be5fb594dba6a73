// What a failure disables, and for how long: rules 4, 8 and 9 of failure.md and the column "disable" of its table. Pure:
// the caller gathers the facts, and records what comes out.

import type { Failure, FailureClass } from '../canonical/failure.ts';
import type { CredentialsType } from './classify.ts';
import { isPassedOn } from './disposition.ts';
import { countsAgainstBackend, type FailureSettings } from './failure-settings.ts';
import { modelTarget } from './target.ts';

/** One target to be disabled. */
export interface Disabling {
  readonly target: string;
  readonly untilMs: number;
  readonly reason: FailureClass;
  readonly hard: boolean;
}

/** What a failure leads to. */
export interface Consequences {
  /** To be disabled now. */
  readonly disable: readonly Disabling[];
  /** Counts one failure against the backend: to be disabled when the count is full. */
  readonly count: Disabling | undefined;
}

/** Who failed, and what is known about it. */
export interface FailureFacts {
  /** `backend:namespace/route/name`. */
  readonly backend: string;
  /** `key:namespace/name`; undefined where no key of a pool was used. */
  readonly key: string | undefined;
  /** The model named to the upstream. */
  readonly model: string | undefined;
  /** The backend itself names that model; otherwise the client did. */
  readonly modelOfBackend: boolean;
  readonly credentials: CredentialsType;
  readonly keyHistory: KeyHistory;
  /** The attempt was the trial of a backend whose disable has ended: rule 21. */
  readonly trial: boolean;
  /** The attempt only looked whether a disabled backend works again: that it does not is no news. */
  readonly early: boolean;
  /** Rule 5: another backend answered the same body with 500 before; true only where this failure is a 500. */
  readonly poisoned: boolean;
  readonly nowMs: number;
  /** How often in a row a target has been disabled: `DisableBook.repeats`. */
  readonly repeats: (target: string) => number;
}

/** What a key has been through. */
export interface KeyHistory {
  /** Unix milliseconds of its last success; undefined = none yet. */
  readonly lastWorkedAtMs: number | undefined;
  /** Rests for a refused credential since its last success. */
  readonly refusals: number;
}

/** Rest of a key after a 429 that names no reset. */
const rateRestMs = 10_000;
/** Rest of a key without money where the provider names no reset: then one request looks again. */
const quotaRestMs = 3_600_000;
/** Rest of a key that is not allowed a model, and of one that never worked: permissions change by hand, in minutes. */
const refusedRestMs = 900_000;
/** First rest of a key that was refused but worked lately: providers do answer 401 in outages. Doubles. */
const doubtRestMs = 10_000;
/** How long a success vouches for a key. */
const workedLatelyMs = 3_600_000;
/** Rest of a backend whose own model does not exist: somebody has to deploy or rename something. */
const noModelRestMs = 300_000;
/** Longest rest on an overloaded upstream's word. */
const overloadRestMsMax = 300_000;

/** Judges the consequences of one failed attempt. With `disable.seconds` 0, or by an early trial, no backend is ever disabled, but keys are. */
export function consequences(failure: Failure, facts: FailureFacts, settings: FailureSettings): Consequences {
  const ofKey = keyConsequence(failure, facts);
  if (settings.disable.seconds === 0 || facts.early)
    return { disable: ofKey === undefined ? [] : [ofKey], count: undefined };
  const ofBackend = backendRest(failure, facts, settings.disable.seconds * 1000);
  const disable = [ofKey, ofBackend].filter((disabling) => disabling !== undefined);
  const count = countedDisabling(failure, facts, settings);
  if (count === undefined || !facts.trial) return { disable, count };
  return { disable: [...disable, count], count: undefined };
}

/** Rule 9 and rows 7, 9, 14 and 15: what happens to a key of a pool. */
function keyConsequence(failure: Failure, facts: FailureFacts): Disabling | undefined {
  const { key, nowMs } = facts;
  if (key === undefined || facts.credentials !== 'KeyPool') return undefined;
  if (failure.scope !== 'key' && failure.scope !== 'key-model') return undefined;
  const target = failure.scope === 'key' ? key : forModel(key, facts.model);
  const reason = failure.class;
  switch (failure.class) {
    case 'RateLimit':
      return { target, untilMs: nowMs + (failure.retryAfterMs ?? rateRestMs), reason, hard: false };
    case 'Quota':
      return { target, untilMs: nowMs + (failure.retryAfterMs ?? quotaRestMs), reason, hard: true };
    case 'Permission':
      return { target, untilMs: nowMs + refusedRestMs, reason, hard: true };
    case 'Authentication':
      return { target, ...refusal(facts), reason };
    default:
      return undefined;
  }
}

/** A key that has not worked lately is wrong; one that has may be refused by a provider in trouble. */
function refusal({ keyHistory, nowMs }: FailureFacts): { untilMs: number; hard: boolean } {
  const { lastWorkedAtMs, refusals } = keyHistory;
  const lately = lastWorkedAtMs !== undefined && nowMs - lastWorkedAtMs <= workedLatelyMs;
  if (!lately) return { untilMs: nowMs + refusedRestMs, hard: true };
  return { untilMs: nowMs + Math.min(refusedRestMs, doubtRestMs * 2 ** refusals), hard: false };
}

/** Rests of a backend, or of a model on it, that need no counting: rows 8, 11, 12 and 16, and 429 without a key. */
function backendRest(failure: Failure, facts: FailureFacts, disableMs: number): Disabling | undefined {
  const { backend, nowMs } = facts;
  const rest = (target: string, restMs: number): Disabling => {
    return { target, untilMs: nowMs + restMs, reason: failure.class, hard: false };
  };
  switch (failure.class) {
    case 'RateLimit':
      return isKeyless(facts) && failure.scope !== 'none'
        ? rest(backend, failure.retryAfterMs ?? rateRestMs)
        : undefined;
    case 'Quota':
      return isKeyless(facts) && failure.status === 429
        ? rest(backend, failure.retryAfterMs ?? quotaRestMs)
        : undefined;
    case 'ModelNotFound':
      return facts.modelOfBackend && failure.scope !== 'none' ? rest(backend, noModelRestMs) : undefined;
    case 'Overloaded': {
      const target = forModel(backend, facts.model);
      if (failure.status === 429) return rest(target, Math.min(failure.retryAfterMs ?? disableMs, disableMs));
      const { retryAfterMs } = failure;
      return retryAfterMs === undefined ? undefined : rest(target, Math.min(retryAfterMs, overloadRestMsMax));
    }
    default:
      return undefined;
  }
}

/** Rule 4: what one more counted failure may disable; undefined if this failure does not count. */
function countedDisabling(failure: Failure, facts: FailureFacts, settings: FailureSettings): Disabling | undefined {
  if (!doesCount(failure, facts, settings)) return undefined;
  // Row 6: a backend that answers but has nothing to say may be well with its other models.
  const byModel = failure.class === 'Timeout' && failure.scope === 'backend-model';
  const target = byModel ? forModel(facts.backend, facts.model) : facts.backend;
  const disableMs = 1000 * grownSeconds(settings.disable, facts.repeats(target));
  return { target, untilMs: facts.nowMs + disableMs, reason: failure.class, hard: false };
}

function doesCount(failure: Failure, facts: FailureFacts, settings: FailureSettings): boolean {
  if (isPassedOn(failure) || (facts.poisoned && failure.status === 500)) return false;
  return countsAgainstBackend(failure, settings) || (isKeyless(facts) && isRefusal(failure));
}

/** What costs a key of a pool its place, and a backend without a pool a count: 401, 402 and 403. */
function isRefusal({ class: failureClass, status }: Failure): boolean {
  if (failureClass === 'Quota') return status !== 429;
  return failureClass === 'Authentication' || failureClass === 'Permission';
}

/** None and Workload: there is no other key, so what is said about the credential is said about the backend. */
function isKeyless({ credentials, key }: FailureFacts): boolean {
  return credentials !== 'Passthrough' && (credentials !== 'KeyPool' || key === undefined);
}

/** Seconds of the next disable: doubles with each in a row, where a maximum is set. */
function grownSeconds({ seconds, maxSeconds }: FailureSettings['disable'], repeats: number): number {
  return maxSeconds === undefined ? seconds : Math.max(seconds, Math.min(maxSeconds, seconds * 2 ** repeats));
}

function forModel(target: string, model: string | undefined): string {
  return model === undefined ? target : modelTarget(target, model);
}
