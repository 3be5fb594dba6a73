// The operator's clock under the control of a test: it stands still until it is turned, and timers fire in their order.

import type { Clock } from '../../../operator/clock.ts';
import type { Log, LogFields } from '../../../operator/log.ts';

interface PendingTimer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** A clock that only moves when told to. */
export interface TurnedClock extends Clock {
  /** Goes forward and fires what is due on the way. */
  turn(byMs: number): void;
  /** The same; after each timer, what it started goes on as far as it can. `onStep` is called each time. */
  run(forMs: number, onStep?: () => void): Promise<void>;
  /** Time goes on, and nothing fires: what a process sees that is stopped. */
  pass(ms: number): void;
  /** Timers that have neither fired nor been cancelled. */
  readonly pending: number;
}

/** A clock that stands at a time. Its two times have nothing to do with each other. */
export function createTurnedClock(unixMs = 1_700_000_000_000): TurnedClock {
  let nowMs = 5000;
  let timers: PendingTimer[] = [];

  function fireNext(endMs: number): boolean {
    const due = timers.reduce<PendingTimer | undefined>(
      (first, timer) => (timer.atMs <= endMs && timer.atMs < (first?.atMs ?? Infinity) ? timer : first),
      undefined,
    );
    if (due === undefined) return false;
    timers = timers.filter((timer) => timer !== due);
    nowMs = Math.max(nowMs, due.atMs);
    due.fire();
    return true;
  }

  return {
    now: () => unixMs + nowMs - 5000,
    monotonic: () => nowMs,
    setTimer(delayMs, fire) {
      const timer = { atMs: nowMs + delayMs, fire };
      timers.push(timer);
      return { cancel: () => void (timers = timers.filter((it) => it !== timer)) };
    },
    turn(byMs) {
      const endMs = nowMs + byMs;
      while (fireNext(endMs));
      nowMs = endMs;
    },
    async run(forMs, onStep) {
      const endMs = nowMs + forMs;
      await settled();
      while (fireNext(endMs)) {
        await settled();
        onStep?.();
      }
      nowMs = endMs;
      onStep?.();
    },
    pass(ms) {
      nowMs += ms;
    },
    get pending() {
      return timers.length;
    },
  };
}

/** Resolves when everything that was already resolved has been heard of, in promises of promises too. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One line of a log. */
export interface LogLine extends LogFields {
  readonly level: keyof Log;
  readonly message: string;
}

/** A log that keeps its lines. */
export function createKeptLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const keep =
    (level: keyof Log) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ ...fields, level, message });
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
