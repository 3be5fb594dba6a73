import type { Clock } from '../../../proxy/canonical/clock.ts';

/** A clock that stands still until a test turns it. */
export class TurnableClock implements Clock {
  nowMs: number;

  constructor(nowMs = 1_000_000) {
    this.nowMs = nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  setTimer(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}
