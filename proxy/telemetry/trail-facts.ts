// Facts that several observers read out of a trail.

import type { AttemptRecord, Trail } from '../accounting/trail.ts';

/** How an attempt ended. `abandoned`: nobody waited for it any more. */
export type AttemptOutcome = 'success' | 'failure' | 'abandoned';

/** How an attempt ended: without failure and without content, it was given up (the client left, a hedge won). */
export function attemptOutcome(attempt: AttemptRecord): AttemptOutcome {
  if (attempt.failure !== undefined) return 'failure';
  return attempt.firstContentAtMs === undefined ? 'abandoned' : 'success';
}

/** Seconds until the first content; undefined if there was none (a whole answer that is empty says 0 = never). */
export function secondsToFirstContent(record: {
  readonly startedAtMs: number;
  readonly firstContentAtMs?: number;
}): number | undefined {
  const { startedAtMs, firstContentAtMs } = record;
  return firstContentAtMs ? secondsBetween(startedAtMs, firstContentAtMs) : undefined;
}

/** Never negative: the wall clock may have been set back in between. */
export function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, toMs - fromMs) / 1000;
}

/** The attempt whose answer the client got, or the last one made. */
export function answeringAttempt({ attempts }: Trail): AttemptRecord | undefined {
  for (let index = attempts.length - 1; index >= 0; index -= 1) {
    const attempt = attempts[index] as AttemptRecord;
    if (attempt.firstContentAtMs !== undefined) return attempt;
  }
  return attempts.at(-1);
}

/** The attempt made before this one. Holds whether or not the trail already lists this one. */
export function attemptBefore({ attempts }: Trail, attempt: AttemptRecord): AttemptRecord | undefined {
  const index = attempts.lastIndexOf(attempt);
  return index === -1 ? attempts.at(-1) : attempts[index - 1];
}
