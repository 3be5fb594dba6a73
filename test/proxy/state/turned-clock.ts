// A clock that tests turn by hand: timers fire when it passes them, in their order.

import type { Clock } from '../../../proxy/canonical/clock.ts';

/** A clock that only moves when told to. */
export interface TurnedClock extends Clock {
  /** Goes forward and fires what is due. */
  turn(byMs: number): void;
  /** Timers that have neither fired nor been cancelled. */
  readonly pending: number;
}

/** A clock that stands at a time. */
export function createTurnedClock(startMs = 1_700_000_000_000): TurnedClock {
  let nowMs = startMs;
  let timers: { readonly atMs: number; readonly fire: () => void }[] = [];
  return {
    now: () => nowMs,
    setTimer(delayMs, fire) {
      const timer = { atMs: nowMs + delayMs, fire };
      timers.push(timer);
      return { cancel: () => void (timers = timers.filter((it) => it !== timer)) };
    },
    turn(byMs) {
      const endMs = nowMs + byMs;
      for (;;) {
        const due = timers.filter((it) => it.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((it) => it !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.fire();
      }
      nowMs = endMs;
    },
    get pending() {
      return timers.length;
    },
  };
}

/** A log that keeps its lines. */
export function createKeptLog() {
  const lines: string[] = [];
  const keep = (_fields: object, message: string) => void lines.push(message);
  return { lines, info: keep, warn: keep };
}
