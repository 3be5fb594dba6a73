// The real clock, passed to everything that asks for one, and what can be made of any clock.

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

/** Makes what waits so many milliseconds, or until the signal is aborted; it never rejects. */
export function createWait(clock: Clock): (ms: number, signal: AbortSignal) => Promise<void> {
  return (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const over = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = clock.setTimer(ms, over);
      signal.addEventListener('abort', over, { once: true });
    });
}
