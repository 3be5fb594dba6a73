import { expect, test } from 'vitest';
import { createKeyHistories } from '../../../proxy/routing/key-history.ts';
import { TurnableClock } from './turnable-clock.ts';

test('a key that nobody has heard of has no history, nor has no key', () => {
  const histories = createKeyHistories({ clock: new TurnableClock() });
  expect(histories.of('key:a/b')).toEqual({ lastWorkedAtMs: undefined, refusals: 0 });
  expect(histories.of(undefined)).toEqual({ lastWorkedAtMs: undefined, refusals: 0 });
});

test('refusals add up until the key works again', () => {
  const clock = new TurnableClock(5000);
  const histories = createKeyHistories({ clock });
  histories.worked('key:a/b');
  clock.nowMs = 6000;
  histories.refused('key:a/b');
  histories.refused('key:a/b');
  expect(histories.of('key:a/b')).toEqual({ lastWorkedAtMs: 5000, refusals: 2 });
  histories.worked('key:a/b');
  expect(histories.of('key:a/b')).toEqual({ lastWorkedAtMs: 6000, refusals: 0 });
  expect(histories.of('key:a/c').refusals).toBe(0);
});

test('keys that are no longer configured are forgotten', () => {
  const histories = createKeyHistories({ clock: new TurnableClock(5000) });
  histories.worked('key:a/b');
  histories.worked('key:a/c');
  histories.retain(new Set(['key:a/c']));
  expect(histories.of('key:a/b').lastWorkedAtMs).toBeUndefined();
  expect(histories.of('key:a/c').lastWorkedAtMs).toBe(5000);
});
