// Waiting for something to become so, without guessing how long it takes.

import { setTimeout as delay } from 'node:timers/promises';

/** Waits until something is so; rejects if it is not so in time. */
export async function eventually(isSo: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${withinMs} ms: ${isSo.toString()}`);
    await delay(2);
  }
}
