// When the Secret of a generated client key is made, renewed and tidied up. A pure decision from how things are: the key,
// the Secret, and the time.

import { credentialLabel } from '../../crds/group.ts';
import type { LLMKey } from '../../crds/llm-key.ts';
import {
  findPrevious,
  generatedAnnotations,
  generatedEntries,
  isMadeFor,
  parseTime,
  type PreviousKey,
  readGenerated,
} from '../compile/generated-key.ts';
import type { SecretObject } from '../compile/world.ts';

/**
 * Why a new key is made.
 * - `Due`: the period is over.
 * - `Requested`: the LLMKey has a value of the annotation `sluice.dev/rotate` that was not handled yet.
 * - `Missing`: the Secret has no key.
 */
export type RotationReason = 'Due' | 'Requested' | 'Missing';

/** What there is to do about the Secret of one key. */
export type SecretPlan =
  /** Nothing before `nextAtMs`; undefined: before something changes. */
  | { readonly type: 'none'; readonly nextAtMs: number | undefined }
  | { readonly type: 'create' }
  /** Make a new key; `keep` goes on working. Whatever else was kept is dropped: there is one previous key at most. */
  | { readonly type: 'rotate'; readonly reason: RotationReason; readonly keep: PreviousKey | undefined }
  /** Take away a previous key that no longer works. */
  | { readonly type: 'drop-previous' }
  /** Put back what everything depends on: the label, and a time of making that can be believed. */
  | { readonly type: 'mend'; readonly madeAtMs: number }
  /** The Secret was not made for this key. It must not be touched, nor looked into. */
  | { readonly type: 'foreign' };

/** Clocks of a cluster differ by less; a time of making further ahead would put a renewal off without an end. */
const skewMsMax = 300_000;

/** Decides. The key must be one that is generated. */
export function planSecret(key: LLMKey, secret: SecretObject | undefined, nowMs: number): SecretPlan {
  if (secret === undefined) return { type: 'create' };
  if (!isMadeFor(secret, key.metadata.uid)) return { type: 'foreign' };

  const current = readGenerated(secret, 'current');
  const previous = findPrevious(secret, nowMs);
  if (current === undefined) return { type: 'rotate', reason: 'Missing', keep: previous };

  const { periodSeconds, overlapSeconds = 0 } = key.spec.client?.rotation ?? {};
  const madeAtMs = readMadeAt(secret, nowMs);
  const dueAtMs = periodSeconds === undefined ? undefined : (madeAtMs ?? nowMs) + periodSeconds * 1000;
  const reason = isRequested(key, secret) ? 'Requested' : (dueAtMs ?? Infinity) <= nowMs ? 'Due' : undefined;
  if (reason !== undefined) {
    const keep = overlapSeconds > 0 ? { value: current, until: nowMs + overlapSeconds * 1000 } : undefined;
    return { type: 'rotate', reason, keep };
  }

  if (previous === undefined && holdsPrevious(secret)) return { type: 'drop-previous' };
  const isLabelled = secret.labels[credentialLabel] === 'true';
  if (madeAtMs === undefined || !isLabelled) return { type: 'mend', madeAtMs: madeAtMs ?? nowMs };
  const nextAtMs = Math.min(dueAtMs ?? Infinity, previous?.until ?? Infinity);
  return { type: 'none', nextAtMs: nextAtMs === Infinity ? undefined : nextAtMs };
}

/** A value that is taken away asks for nothing. */
function isRequested({ metadata }: LLMKey, secret: SecretObject): boolean {
  const asked = metadata.annotations?.[generatedAnnotations.rotate];
  return asked !== undefined && asked !== secret.annotations[generatedAnnotations.rotate];
}

/** Undefined if it cannot be read or believed; the key then counts as made now, and the Secret is made to say so. */
function readMadeAt({ annotations }: SecretObject, nowMs: number): number | undefined {
  const madeAtMs = parseTime(annotations[generatedAnnotations.madeAt]);
  return madeAtMs !== undefined && madeAtMs <= nowMs + skewMsMax ? madeAtMs : undefined;
}

function holdsPrevious({ data, annotations }: SecretObject): boolean {
  return generatedEntries.previous in data || generatedAnnotations.previousUntil in annotations;
}
