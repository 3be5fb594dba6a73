// Timers of a watch.

import type { Clock, Timer } from '../canonical/clock.ts';

/** A timer that can be set anew. */
export class Alarm {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #fire: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, delayMs: number, fire: () => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#fire = fire;
  }

  set(): void {
    this.cancel();
    this.#timer = this.#clock.setTimer(this.#delayMs, this.#fire);
  }

  cancel(): void {
    this.#timer?.cancel();
  }
}

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
