import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  concurrencyCalmMs,
  ConcurrencyLimits,
  concurrencyMin,
  type EndedAttempt,
} from '../../../proxy/balancing/concurrency.ts';
import type { Failure } from '../../../proxy/canonical/failure.ts';
import { TestClock } from '../../support/clock.ts';

const overloaded: Failure = {
  class: 'Overloaded',
  scope: 'backend-model',
  hard: false,
  counts: true,
  cause: undefined,
};
const backend = 'default/chat/a';

/** Limits of one backend, with so many in flight as a test says. */
function rig() {
  const clock = new TestClock();
  const state = { inFlight: 0 };
  const limits = new ConcurrencyLimits({ clock, inFlightOf: (id) => (id === backend ? state.inFlight : 0) });
  return {
    clock,
    state,
    limits,
    /** One attempt ends; those still in flight are what is given. */
    ends: (inFlight: number, failure?: Failure, key?: string): void => {
      state.inFlight = inFlight;
      limits.ended({ backend, key, ...(failure === undefined ? {} : { failure }) } satisfies EndedAttempt);
    },
  };
}

describe('a backend that does not refuse', () => {
  test('has no limit, however much it is sent', () => {
    const { limits, ends, state } = rig();
    for (let inFlight = 0; inFlight < 5000; inFlight += 100) ends(inFlight);
    state.inFlight = 100_000;
    expect(limits.limitOf(backend)).toBeUndefined();
    expect(limits.fullUntil(backend)).toBe(0);
  });

  test.each([
    ['BadRequest', 'none'],
    ['ServerError', 'backend'],
    ['Connect', 'backend'],
    ['Quota', 'key'],
    ['Authentication', 'key'],
    ['Truncated', 'backend'],
  ] as const)('%s is no refusal of more', (failureClass, scope) => {
    const { limits, ends } = rig();
    ends(50, { ...overloaded, class: failureClass, scope });
    expect(limits.limitOf(backend)).toBeUndefined();
  });

  test('nor is a limit of a key, of the client, or of one request', () => {
    const { limits, ends } = rig();
    const rate: Failure = { ...overloaded, class: 'RateLimit', scope: 'key-model', counts: false };
    ends(50, rate, 'default/key');
    ends(50, { ...rate, scope: 'none' });
    ends(50, { ...rate, client: { status: 429, message: '', code: undefined, type: undefined, param: undefined } });
    expect(limits.limitOf(backend)).toBeUndefined();
  });
});

describe('a backend that refuses', () => {
  test.each(['Overloaded', 'Timeout', 'RateLimit'] as const)(
    'with %s is sent what it is working on',
    (failureClass) => {
      const { limits, ends, state } = rig();
      ends(40, { ...overloaded, class: failureClass });
      expect(limits.limitOf(backend)).toBe(40);
      expect(limits.fullUntil(backend)).toBe(1_700_000_001_000);
      state.inFlight = 39;
      expect(limits.fullUntil(backend)).toBe(0);
      expect(limits.fullUntil('default/chat/b')).toBe(0);
    },
  );

  test('is found out within one burst: of 160 it refuses 120, and 40 are what it takes', () => {
    const { limits, ends } = rig();
    for (let inFlight = 159; inFlight >= 40; inFlight -= 1) ends(inFlight, overloaded);
    expect(limits.limitOf(backend)).toBe(40);
  });

  test('is never held below ten', () => {
    const { limits, ends } = rig();
    ends(0, overloaded);
    expect(limits.limitOf(backend)).toBe(concurrencyMin);
  });

  test('is not allowed more by a refusal while more are in flight', () => {
    const { limits, ends } = rig();
    ends(40, overloaded);
    ends(60, overloaded);
    expect(limits.limitOf(backend)).toBe(40);
  });

  test('is sent a quarter more every second, and after a calm any number', () => {
    const { limits, ends, clock } = rig();
    ends(40, overloaded);
    clock.turn(1000);
    expect(limits.limitOf(backend)).toBe(50);
    clock.turn(1000);
    expect(limits.limitOf(backend)).toBe(62);
    ends(61, overloaded);
    expect(limits.limitOf(backend)).toBe(61);
    clock.turn(concurrencyCalmMs - 1);
    expect(limits.limitOf(backend)).toBeGreaterThan(61 * 25);
    clock.turn(1);
    expect(limits.limitOf(backend)).toBeUndefined();
    expect(limits.fullUntil(backend)).toBe(0);
  });

  test('is not forgotten when the clock is set back', () => {
    const { limits, ends, clock } = rig();
    ends(40, overloaded);
    clock.turn(-60_000);
    expect(limits.limitOf(backend)).toBe(40);
  });

  test('whatever happens, it may be sent at least as much as it was working on at any refusal of the last second', () => {
    const step = fc.record({ inFlight: fc.integer({ min: 0, max: 300 }), afterMs: fc.integer({ min: 0, max: 2000 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const { limits, ends, clock } = rig();
        for (const { inFlight, afterMs } of steps) {
          ends(inFlight, overloaded);
          const lowest = Math.min(...steps.map((it) => it.inFlight));
          expect(limits.limitOf(backend)).toBeGreaterThanOrEqual(Math.max(concurrencyMin, lowest));
          expect(limits.limitOf(backend)).toBeLessThanOrEqual(Math.max(concurrencyMin, inFlight));
          clock.turn(afterMs);
        }
      }),
    );
  });
});
