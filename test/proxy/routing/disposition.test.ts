import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Failure, type FailureClass, failureClasses } from '../../../proxy/canonical/failure.ts';
import { type KeysLeft, type NextStep, nextStep, retryWaitMs } from '../../../proxy/routing/disposition.ts';
import { countsAgainstBackend, isListedStatus } from '../../../proxy/routing/failure-settings.ts';
import { defaults, failureOf, faultOf } from './failures.ts';

const noKeys: KeysLeft = { any: false, otherAccount: false };
const sameAccount: KeysLeft = { any: true, otherAccount: false };
const otherAccount: KeysLeft = { any: true, otherAccount: true };

function words(step: NextStep): string {
  if (step.type === 'next-key') return step.otherAccount ? 'key of another account' : 'key';
  if (step.type === 'next-backend') return step.largerContext ? 'backend with a larger context' : 'backend';
  return 'stop';
}

/** By class: with keys of the same account, with keys of another account, without keys. */
const table: Record<FailureClass, readonly [string, string, string]> = {
  Connect: ['backend', 'backend', 'backend'],
  TLS: ['backend', 'backend', 'backend'],
  Timeout: ['backend', 'backend', 'backend'],
  RateLimit: ['key', 'key', 'backend'],
  Quota: ['key', 'key', 'backend'],
  ServerError: ['backend', 'backend', 'backend'],
  Overloaded: ['backend', 'backend', 'backend'],
  Authentication: ['key', 'key', 'backend'],
  Permission: ['key', 'key', 'backend'],
  ModelNotFound: ['backend', 'key of another account', 'backend'],
  ContextLength: ['backend with a larger context', 'backend with a larger context', 'backend with a larger context'],
  ContentFilter: ['stop', 'stop', 'stop'],
  BadRequest: ['stop', 'stop', 'stop'],
  TooLarge: ['stop', 'stop', 'stop'],
  InvalidResponse: ['backend', 'backend', 'backend'],
  Truncated: ['backend', 'backend', 'backend'],
  Stalled: ['backend', 'backend', 'backend'],
};

function natural(failureClass: FailureClass): Failure {
  const scopes: Partial<Record<FailureClass, Failure['scope']>> = {
    RateLimit: 'key-model',
    Quota: 'key',
    Authentication: 'key',
    Permission: 'key-model',
  };
  return failureOf(failureClass, { scope: scopes[failureClass] ?? 'backend' });
}

describe('the next step', () => {
  test.each(failureClasses)('after %s, by default', (failureClass) => {
    const failure = natural(failureClass);
    expect([sameAccount, otherAccount, noKeys].map((keys) => words(nextStep(failure, defaults, keys)))).toEqual(
      table[failureClass],
    );
  });

  test.each(failureClasses)('after %s, where the route fails over on nothing', (failureClass) => {
    const settings = { ...defaults, on: [] };
    const wanted = table[failureClass].map((step) => (step.startsWith('backend') ? 'stop' : step));
    expect(
      [sameAccount, otherAccount, noKeys].map((keys) => words(nextStep(natural(failureClass), settings, keys))),
    ).toEqual(wanted);
  });

  test.each(['ContentFilter', 'BadRequest', 'TooLarge'] as const)(
    'after %s, where the route says so, any backend',
    (failureClass) => {
      expect(words(nextStep(faultOf(failureClass), { ...defaults, on: [failureClass] }, noKeys))).toBe('backend');
    },
  );

  test('a listed status fails over to any backend, whatever its class', () => {
    const settings = { ...defaults, on: [], statusCodes: [[400, 499]] as [number, number][] };
    expect(words(nextStep(faultOf('BadRequest', 400), settings, noKeys))).toBe('backend');
    expect(words(nextStep(faultOf('ContextLength', 400), settings, noKeys))).toBe('backend');
    expect(words(nextStep(failureOf('ServerError', { status: 500 }), settings, noKeys))).toBe('stop');
    expect(words(nextStep(failureOf('Connect'), settings, noKeys))).toBe('stop');
  });

  test('a refusal of our address asks no other key', () => {
    expect(words(nextStep(failureOf('Permission', { scope: 'backend' }), defaults, otherAccount))).toBe('backend');
  });

  test.each(['Authentication', 'Permission', 'RateLimit', 'Quota'] as const)(
    "%s of the client's own credentials ends the search",
    (failureClass) => {
      const settings = { ...defaults, statusCodes: [[201, 599]] as [number, number][] };
      expect(words(nextStep(faultOf(failureClass, 401), settings, otherAccount))).toBe('stop');
    },
  );
});

describe('listed statuses', () => {
  const listed = (status: number | undefined, ...statusCodes: [number, number][]) =>
    isListedStatus(status, { statusCodes });

  test('ranges are inclusive', () => {
    expect([399, 400, 499, 500].map((status) => listed(status, [400, 499]))).toEqual([false, true, true, false]);
    expect([417, 418, 419].map((status) => listed(status, [418, 418]))).toEqual([false, true, false]);
    expect(listed(503, [400, 404], [503, 503])).toBe(true);
  });

  test('201-599 is anything but 200', () => {
    expect([200, 201, 204, 302, 404, 599, 600].map((status) => listed(status, [201, 599]))).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  test('200 cannot be a failure, and no status is none', () => {
    expect(listed(200, [200, 299])).toBe(false);
    expect(listed(undefined, [100, 999])).toBe(false);
  });

  test('what is listed counts, what is not counts by its class', () => {
    const statusCodes: [number, number][] = [[400, 400]];
    expect(countsAgainstBackend(faultOf('BadRequest', 400), { statusCodes })).toBe(true);
    expect(countsAgainstBackend(faultOf('BadRequest', 422), { statusCodes })).toBe(false);
    expect(countsAgainstBackend(failureOf('ServerError', { status: 500, counts: true }), { statusCodes })).toBe(true);
  });
});

describe('a retry on the same backend', () => {
  const retry = { attempts: 3, baseMillis: 100, maxMillis: 2000, jitterPercent: 20 };
  const wait = (failure: Failure, retries = 0, random = 0, more: Partial<typeof retry> = {}) =>
    retryWaitMs(failure, { ...retry, ...more }, retries, () => random);
  const error = failureOf('ServerError', { status: 500 });

  test('is off where there are no attempts, and ends with them', () => {
    expect(wait(error, 0, 0, { attempts: 0 })).toBeUndefined();
    expect(wait(error, 2)).toBe(400);
    expect(wait(error, 3)).toBeUndefined();
  });

  test.each(failureClasses)('of %s', (failureClass) => {
    const may = ['RateLimit', 'ServerError', 'Overloaded'].includes(failureClass);
    expect(wait(natural(failureClass)) !== undefined).toBe(may);
  });

  test('of connections only if they broke', () => {
    expect(wait(failureOf('Connect', { fault: 'reset' }))).toBe(100);
    expect(wait(failureOf('Connect', { fault: 'connect' }))).toBeUndefined();
    expect(wait(failureOf('Connect', { fault: 'dns' }))).toBeUndefined();
  });

  test("is no use for a request larger than the limit, nor for a limit of the client's", () => {
    expect(wait(failureOf('RateLimit', { scope: 'none' }))).toBeUndefined();
    expect(wait(faultOf('RateLimit', 429))).toBeUndefined();
  });

  test('waits twice as long each time, and jitter only shortens', () => {
    expect([0, 1, 2].map((retries) => wait(error, retries))).toEqual([100, 200, 400]);
    expect(wait(error, 0, 0.5)).toBe(90);
    expect(wait(error, 0, 1)).toBe(80);
    expect(wait(error, 0, 1, { jitterPercent: 0 })).toBe(100);
    expect(wait(error, 0, 0.5, { baseMillis: 101, jitterPercent: 50 })).toBe(76);
    expect(wait(error, 0, 1, { jitterPercent: 300 })).toBe(0);
  });

  test('waits for what the upstream asks, if it can', () => {
    expect(wait(failureOf('RateLimit', { scope: 'key-model', retryAfterMs: 1999 }), 0, 1)).toBe(1999);
    expect(wait(failureOf('RateLimit', { scope: 'key-model', retryAfterMs: 2000 }), 0, 1)).toBe(2000);
    expect(wait(failureOf('RateLimit', { scope: 'key-model', retryAfterMs: 2001 }), 0, 1)).toBeUndefined();
  });

  test('is skipped where the backoff itself is longer than the maximum', () => {
    expect(wait(error, 0, 0, { baseMillis: 2000 })).toBe(2000);
    expect(wait(error, 0, 0, { baseMillis: 2001 })).toBeUndefined();
    expect(wait(error, 60, 0, { attempts: 100 })).toBeUndefined();
  });

  test('never undercuts Retry-After and never exceeds the maximum', () => {
    const whole = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(
        whole,
        whole,
        whole,
        fc.nat(200),
        fc.nat(100),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retryAfterMs, baseMillis, maxMillis, jitterPercent, retries, random) => {
          const waitMs = retryWaitMs(
            failureOf('Overloaded', { retryAfterMs }),
            { attempts: 101, baseMillis, maxMillis, jitterPercent },
            retries,
            () => random,
          );
          if (waitMs !== undefined) expect(waitMs >= retryAfterMs && waitMs <= maxMillis).toBe(true);
          else expect(Math.max(retryAfterMs, baseMillis * 2 ** Math.min(retries, 30))).toBeGreaterThan(maxMillis);
        },
      ),
    );
  });
});
