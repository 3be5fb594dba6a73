// Time as an argument: nothing in the proxy reads a clock or sets a timer of its own, so that tests can turn both.

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
}

/** Wall clock and timers. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Calls `fire` once after `delayMs`; never keeps the process alive by itself. */
  setTimer(delayMs: number, fire: () => void): Timer;
}
