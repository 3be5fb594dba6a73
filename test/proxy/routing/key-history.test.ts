import { expect, test } from 'vitest';
import { createKeyHistories, type HeldKey } from '../../../proxy/routing/key-history.ts';
import { TurnableClock } from './turnable-clock.ts';

const one: HeldKey = { target: 'key:a/b', secret: 'first' };
const renewed: HeldKey = { target: 'key:a/b', secret: 'second' };
const other: HeldKey = { target: 'key:a/c', secret: 'first' };

test('a key that nobody has heard of has no history, nor has no key', () => {
  const histories = createKeyHistories({ clock: new TurnableClock() });
  expect(histories.of(one)).toEqual({ lastWorkedAtMs: undefined, refusals: 0 });
  expect(histories.of(undefined)).toEqual({ lastWorkedAtMs: undefined, refusals: 0 });
  expect(histories.isCurrent(one)).toBe(true);
});

test('refusals add up until the key works again', () => {
  const clock = new TurnableClock(5000);
  const histories = createKeyHistories({ clock });
  histories.worked(one);
  clock.nowMs = 6000;
  histories.refused(one);
  histories.refused(one);
  expect(histories.of(one)).toEqual({ lastWorkedAtMs: 5000, refusals: 2 });
  histories.worked(one);
  expect(histories.of(one)).toEqual({ lastWorkedAtMs: 6000, refusals: 0 });
  expect(histories.of(other).refusals).toBe(0);
});

test('keys that are no longer configured are forgotten', () => {
  const histories = createKeyHistories({ clock: new TurnableClock(5000) });
  histories.worked(one);
  histories.worked(other);
  histories.retain(new Map([[other.target, other.secret]]));
  expect(histories.of(one).lastWorkedAtMs).toBeUndefined();
  expect(histories.of(other).lastWorkedAtMs).toBe(5000);
});

test('a key with another secret is another key, and the old one says nothing about it any more', () => {
  const histories = createKeyHistories({ clock: new TurnableClock(5000) });
  histories.worked(one);
  histories.retain(new Map([[renewed.target, renewed.secret]]));
  expect([histories.isCurrent(one), histories.isCurrent(renewed)]).toEqual([false, true]);
  // Requests that went out before the change end after it.
  histories.worked(one);
  histories.refused(one);
  expect(histories.of(renewed)).toEqual({ lastWorkedAtMs: undefined, refusals: 0 });
  histories.worked(renewed);
  histories.refused(one);
  expect(histories.of(renewed)).toEqual({ lastWorkedAtMs: 5000, refusals: 0 });
});
