import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStoreClock } from '../../../proxy/state/store-clock.ts';
import { foreverMs } from '../../../proxy/state/store.ts';
import { TestClock } from '../../support/clock.ts';

/** Asks the store, whose clock is ahead, over a way that takes so long there and back. */
function rig(aheadMs: number) {
  const clock = new TestClock();
  const store = createStoreClock(clock);
  const ask = (thereMs: number, backMs: number, ahead = aheadMs): void => {
    const sentMs = clock.now();
    clock.turn(thereMs);
    const answered = clock.now() + ahead;
    clock.turn(backMs);
    store.sample(answered, sentMs);
  };
  return { clock, store, ask };
}

describe('the clock of the store', () => {
  test('is this process’s own until it is known', () => {
    const { clock, store } = rig(0);
    expect(store.now()).toBe(clock.now());
    expect(store.toLocal(5)).toBe(5);
  });

  test('is never further off than half the best answer took', () => {
    const journey = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 200 }));
    const days = 24 * 60 * 60 * 1000;
    fc.assert(
      fc.property(fc.integer({ min: -days, max: days }), fc.array(journey, { minLength: 1 }), (aheadMs, journeys) => {
        const { clock, store, ask } = rig(aheadMs);
        for (const [there, back] of journeys) ask(there, back);
        const best = Math.min(...journeys.map(([there, back]) => there + back));
        expect(Math.abs(store.now() - clock.now() - aheadMs)).toBeLessThanOrEqual(best / 2 + 1);
      }),
    );
  });

  test('is believed at once when one of the two clocks has been set', () => {
    const { clock, store, ask } = rig(0);
    ask(1, 1);
    ask(40, 40, -300_000);
    expect(Math.abs(store.now() - (clock.now() - 300_000))).toBeLessThanOrEqual(41);
  });

  test('is measured anew after a minute, since clocks drift', () => {
    const { clock, store, ask } = rig(0);
    ask(0, 0);
    clock.turn(60_000);
    ask(5, 5, 6);
    expect(store.now() - clock.now()).toBe(6);
  });

  test('turns times of the store into this process’s, and leaves "for ever" alone', () => {
    const { store, ask } = rig(300_000);
    ask(1, 1);
    expect(Math.abs(store.toLocal(1_000_000_000) - 999_700_000)).toBeLessThanOrEqual(2);
    expect(store.toLocal(foreverMs)).toBe(foreverMs);
  });
});
