// Waiting for what is read to become what is expected. As `expect.poll`, which does not know its test where several run at
// the same time.

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';

const everyMs = 5;

/** For what has to be so without delay, on a busy machine too. */
export const promptMs = 3000;

type Expectation = ReturnType<typeof expect.poll>;
type Matcher = (...args: readonly unknown[]) => void;

/**
 * Expects something of what is read to become so; fails with what was read last. Far longer is waited than it should ever
 * take.
 */
export function soon(read: () => unknown, withinMs = 20_000): Expectation {
  const matching = (isNot: boolean): object =>
    new Proxy(
      {},
      {
        get(_, name: string) {
          if (name === 'not') return matching(true);
          return (...args: readonly unknown[]) =>
            retry(async () => matcherOf(await read(), isNot, name)(...args), withinMs);
        },
      },
    );
  return matching(false) as Expectation;
}

function matcherOf(value: unknown, isNot: boolean, name: string): Matcher {
  // oxlint-disable-next-line vitest/valid-expect -- which matcher it is comes by name
  const assertion = expect(value);
  const matchers = (isNot ? assertion.not : assertion) as unknown as Readonly<Record<string, Matcher>>;
  return (...args) => matchers[name]?.call(matchers, ...args);
}

async function retry(check: () => Promise<void>, withinMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await delay(everyMs);
  }
}
