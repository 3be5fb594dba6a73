// The Secret of a generated client key: what the operator puts into it, and the compiler finds there. Names are a
// contract with the clients that mount the Secret; who makes it, and when, is the business of operator/keys.

import { group } from '../../crds/group.ts';
import type { SecretObject } from './world.ts';

/** Entries of the Secret: the key, and the one before it while that still works. */
export const generatedEntries = { current: 'key', previous: 'previous' } as const;

/** Annotations of the Secret; `rotate` is also the one of an LLMKey that asks for a new key. */
export const generatedAnnotations = {
  /** RFC 3339: when the current key was made. */
  madeAt: `${group}/made-at`,
  /** RFC 3339: how long the previous key works. */
  previousUntil: `${group}/previous-until`,
  /** The value of the LLMKey's annotation of the same name that was handled last. */
  rotate: `${group}/rotate`,
} as const;

/** A key that has been replaced and still works. */
export interface PreviousKey {
  readonly value: string;
  /** Unix milliseconds. */
  readonly until: number;
}

/** Whether a Secret was made for the object with this uid. Its name alone says nothing: anybody may have taken it. */
export function isMadeFor({ ownerUIDs }: SecretObject, uid: string | undefined): boolean {
  return uid !== undefined && ownerUIDs.includes(uid);
}

/** An entry without the white space around it; undefined if there is none, or an empty one. */
export function readGenerated({ data }: SecretObject, entry: keyof typeof generatedEntries): string | undefined {
  const value = data[generatedEntries[entry]]?.trim();
  return value === '' ? undefined : value;
}

/** The key before the current one, if it still works. */
export function findPrevious(secret: SecretObject, now: number): PreviousKey | undefined {
  const value = readGenerated(secret, 'previous');
  const until = parseTime(secret.annotations[generatedAnnotations.previousUntil]);
  return value !== undefined && until !== undefined && until > now ? { value, until } : undefined;
}

/** Unix milliseconds of an RFC 3339 time; undefined if it is none. `Date` alone takes much that is no time. */
export function parseTime(text: string | undefined): number | undefined {
  const parsed = text !== undefined && /^\d{4}-\d{2}-\d{2}[Tt ]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
