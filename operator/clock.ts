// Time as an argument: nothing in the operator reads a clock or sets a timer of its own, so that tests can turn both.

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
}

/** Two clocks and timers. */
export interface Clock {
  /** Unix milliseconds; may jump. For what is written down: revisions, conditions, expiry. */
  now(): number;
  /** Milliseconds since some moment; goes forward only, and also while the process is stopped. For every duration. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs`; never keeps the process alive by itself. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** The longest delay of a node timer; longer ones would fire at once. */
const delayMsMax = 2 ** 31 - 1;

/** The clocks and timers of the process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(delayMs, delayMsMax)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Waits, or until the signal is aborted; never rejects. */
export function waitOrAbort(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
