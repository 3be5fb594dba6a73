import { describe, expect, test } from 'vitest';
import { createBreaker, type Breaker } from '../../../proxy/state/breaker.ts';
import { TestClock } from '../../support/clock.ts';

function rig() {
  const clock = new TestClock();
  const changes: string[] = [];
  const onChange = ({ isOpen, detail }: Breaker): void => void changes.push(isOpen ? `open: ${detail}` : 'closed');
  return { clock, changes, breaker: createBreaker({ clock, detail: 'not connected yet', onChange }) };
}

describe('a breaker', () => {
  test('is open until something is known to work', () => {
    const { breaker, changes } = rig();
    expect([breaker.isOpen, breaker.detail]).toEqual([true, 'not connected yet']);
    breaker.close();
    expect([breaker.isOpen, breaker.detail]).toEqual([false, undefined]);
    expect(changes).toEqual(['closed']);
  });

  test.each([
    ['error', 5],
    ['timeout', 3],
  ] as const)('opens at so many of a fault within a second: %s %i', (fault, count) => {
    const { breaker, clock } = rig();
    breaker.close();
    for (let n = 1; n < count; n++) breaker.failed(fault, 'oh');
    expect(breaker.isOpen).toBe(false);
    clock.turn(999);
    breaker.failed(fault, 'oh');
    expect([breaker.isOpen, breaker.detail, breaker.sinceMs]).toEqual([true, 'oh', clock.now()]);
  });

  test('does not add up faults that are further apart than a second', () => {
    const { breaker, clock } = rig();
    breaker.close();
    for (let n = 0; n < 20; n++) {
      breaker.failed('timeout', 'oh');
      clock.turn(500);
    }
    expect(breaker.isOpen).toBe(false);
  });

  test('reports each opening and closing once, however many reasons there are', () => {
    const { breaker, changes } = rig();
    breaker.close();
    breaker.close();
    for (let n = 0; n < 9; n++) breaker.failed('error', 'refused');
    breaker.trip('gone');
    expect(breaker.detail).toBe('gone');
    breaker.close();
    expect(changes).toEqual(['closed', 'open: refused', 'closed']);
  });

  test('starts counting anew after it was closed', () => {
    const { breaker } = rig();
    breaker.close();
    for (let n = 0; n < 3; n++) breaker.failed('timeout', 'oh');
    breaker.close();
    breaker.failed('timeout', 'oh');
    expect(breaker.isOpen).toBe(false);
  });
});
