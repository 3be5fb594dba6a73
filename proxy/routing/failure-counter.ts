// Counts failures within a sliding window, per target. Local to one proxy: what comes of a full count is shared, the
// counting is not (rule 4 of failure.md).

import type { Clock } from '../canonical/clock.ts';

/** How many failures within which time disable a target. */
export interface FailureThreshold {
  readonly failures: number;
  readonly windowSeconds: number;
}

/** Counts failures. */
export interface FailureCounter {
  /** Counts one failure; true if the target is now to be disabled, which starts its count anew. */
  add(target: string, threshold: FailureThreshold): boolean;
}

/** Failures remembered per target. More within one window would mean that nobody wants the target disabled. */
const failuresMax = 1000;
/** Targets counted at once: more than any configuration has backends, in case clients invent model names. */
const targetsMax = 10_000;

/** Makes a counter. */
export function createFailureCounter({ clock }: { readonly clock: Clock }): FailureCounter {
  /** Times of the failures that could still be in a window, oldest first. Insertion order = order of last failure. */
  const failedAtMs = new Map<string, number[]>();

  function add(target: string, { failures, windowSeconds }: FailureThreshold): boolean {
    const wanted = Math.min(failures, failuresMax);
    if (wanted <= 1) return true;
    const nowMs = clock.now();
    const times = (failedAtMs.get(target) ?? []).slice(1 - wanted);
    times.push(nowMs);
    failedAtMs.delete(target);
    const oldestMs = times[0] ?? nowMs;
    if (times.length === wanted && nowMs - oldestMs <= windowSeconds * 1000) return true;
    failedAtMs.set(target, times);
    if (failedAtMs.size > targetsMax) dropOldest();
    return false;
  }

  function dropOldest(): void {
    for (const target of failedAtMs.keys()) {
      failedAtMs.delete(target);
      return;
    }
  }

  return { add };
}
