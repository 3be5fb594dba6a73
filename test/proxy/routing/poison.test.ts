import { describe, expect, test } from 'vitest';
import { createPoisonBook } from '../../../proxy/routing/poison.ts';
import { TurnableClock } from './turnable-clock.ts';

function bookAt() {
  const clock = new TurnableClock();
  const book = createPoisonBook({ clock });
  return { clock, record: (body: string, backend: string) => book.record(Buffer.from(body), backend) };
}

describe('a body that one backend answered with 500', () => {
  test('says nothing against other backends for ten minutes', () => {
    const { clock, record } = bookAt();
    expect(record('poison', 'a')).toBe(false);
    expect(record('poison', 'b')).toBe(true);
    expect(record('poison', 'c')).toBe(true);
    clock.nowMs += 599_999;
    expect(record('poison', 'b')).toBe(true);
    clock.nowMs += 1;
    expect(record('poison', 'b')).toBe(false);
    expect(record('poison', 'a')).toBe(true);
  });

  test('says the same against the same backend as before', () => {
    const { clock, record } = bookAt();
    expect(record('poison', 'a')).toBe(false);
    clock.nowMs += 300_000;
    expect(record('poison', 'a')).toBe(false);
    clock.nowMs += 599_999;
    expect(record('poison', 'b')).toBe(true);
  });

  test('says nothing about other bodies', () => {
    const { record } = bookAt();
    expect(record('poison', 'a')).toBe(false);
    expect(record('Poison', 'b')).toBe(false);
    expect(record('', 'a')).toBe(false);
    expect(record('', 'b')).toBe(true);
  });

  test('is forgotten first when there are more than ten thousand', () => {
    const { record } = bookAt();
    for (let i = 0; i <= 10_000; i += 1) record(`body ${i}`, 'a');
    expect(record('body 1', 'b')).toBe(true);
    expect(record('body 0', 'b')).toBe(false);
  });
});
