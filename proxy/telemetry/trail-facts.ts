// Facts that several observers read out of a trail.

import type { AttemptRecord, Trail } from '../accounting/trail.ts';

/** How an attempt ended. `abandoned`: nobody waited for it any more. */
export type AttemptOutcome = 'success' | 'failure' | 'abandoned';

/** How an attempt ended: without failure and without content, it was given up (the client left, a hedge won). */
export function attemptOutcome(attempt: AttemptRecord): AttemptOutcome {
  if (attempt.failure !== undefined) return 'failure';
  return attempt.firstContentAtMs === undefined ? 'abandoned' : 'success';
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
