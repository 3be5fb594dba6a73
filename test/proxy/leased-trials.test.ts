import { expect, test } from 'vitest';
import { createLeasedTrials } from '../../proxy/leased-trials.ts';
import type { Lease } from '../../proxy/state/lease.ts';
import { TestClock } from '../support/clock.ts';

/** A store that answers as it is told. */
class Answers {
  scope: Lease['scope'] = 'fleet';
  state: 'ok' | 'down' = 'ok';
  released = 0;
  renewed = 0;

  lease = async (name: string): Promise<Lease> => ({
    name,
    scope: this.scope,
    isHeld: () => true,
    renew: async () => {
      this.renewed += 1;
      return true;
    },
    release: () => void (this.released += 1),
  });

  health = () => ({ kind: 'redis' as const, state: this.state, sinceMs: 0, proxies: 3, detail: undefined });
}

test('a store that is down leaves each proxy to itself, one that is late does not, unless it always is', async () => {
  const [clock, store] = [new TestClock(), new Answers()];
  const trials = createLeasedTrials(clock, store);
  store.scope = 'proxy';
  expect([await trials.begin('a', undefined), await trials.begin('b', undefined)]).toEqual([false, false]);
  expect(store.released).toBe(2);
  expect(await trials.begin('c', undefined)).toBe(true);
  store.scope = 'fleet';
  expect(await trials.begin('d', undefined)).toBe(true);
  store.scope = 'proxy';
  expect(await trials.begin('e', undefined)).toBe(false);
  store.state = 'down';
  expect(await trials.begin('f', undefined)).toBe(true);
});

test('a trial is kept as long as it runs, and let go of when it has failed', async () => {
  const [clock, store] = [new TestClock(), new Answers()];
  const trials = createLeasedTrials(clock, store);
  await trials.begin('a', 3000);
  for (let times = 0; times < 10; times += 1) {
    clock.turn(1000);
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(store.renewed).toBe(10);
  trials.end('a', 'failed');
  clock.turn(10_000);
  expect([store.renewed, store.released, clock.pending]).toEqual([10, 0, 0]);
});
