// Waiting for what is read to become what is expected.

import { expect } from 'vitest';

/** Expects something of what is read to become so; fails with what was read last. */
export function soon<T>(read: () => T | Promise<T>) {
  return expect.poll(read, { timeout: 20_000, interval: 5 });
}
