// The real clock. Passed to everything that asks for one.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './canonical/clock.ts';

/** The longest delay of a node timer; longer ones would fire at once. */
const delayMsMax = 2 ** 31 - 1;

/** Wall clock and timers of the process. Timers do not keep it alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(delayMs, delayMsMax)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Waits, or until the signal is aborted; never rejects. */
export async function waitOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: whoever waits looks at the signal.
  }
}
