// Waiting for something to become so, without guessing how long it takes.

import { setTimeout as delay } from 'node:timers/promises';

/** How to look. */
export interface Looks {
  readonly everyMs?: number;
  /** What is waited for, where the code that looks would not say it. */
  readonly what?: string;
}

/** Waits until something is so; resolves with the milliseconds that it took, and rejects if it is not so in time. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  withinMs = 5000,
  { everyMs = 2, what = isSo.toString() }: Looks = {},
): Promise<number> {
  const beganMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - beganMs > withinMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await delay(everyMs);
  }
  return performance.now() - beganMs;
}
