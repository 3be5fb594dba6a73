import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Failure, type FailureClass, failureClasses } from '../../../proxy/canonical/failure.ts';
import {
  consequences,
  type Consequences,
  type Disabling,
  type FailureFacts,
} from '../../../proxy/routing/consequence.ts';
import type { FailureSettings } from '../../../proxy/routing/failure-settings.ts';
import { defaults, failureOf, faultOf } from './failures.ts';

const nowMs = 1_000_000_000;
const facts: FailureFacts = {
  backend: 'backend:default/chat/a',
  key: 'key:default/one',
  model: 'gpt-4o',
  modelOfBackend: true,
  credentials: 'KeyPool',
  keyHistory: { lastWorkedAtMs: undefined, refusals: 0 },
  trial: false,
  early: false,
  poisoned: false,
  nowMs,
  repeats: () => 0,
};

const aboutKeys: Partial<Record<FailureClass, Partial<Failure>>> = {
  RateLimit: { scope: 'key-model', status: 429 },
  Quota: { scope: 'key', hard: true, status: 429 },
  Authentication: { scope: 'key', hard: true, status: 401 },
  Permission: { scope: 'key-model', hard: true, status: 403 },
};
const counting = ['Connect', 'TLS', 'Timeout', 'ServerError', 'Overloaded', 'InvalidResponse', 'Truncated', 'Stalled'];

function natural(failureClass: FailureClass, more: Partial<Failure> = {}): Failure {
  return failureOf(failureClass, { counts: counting.includes(failureClass), ...aboutKeys[failureClass], ...more });
}

function after(failure: Failure, more: Partial<FailureFacts> = {}, settings: FailureSettings = defaults): Consequences {
  return consequences(failure, { ...facts, ...more }, settings);
}

/** `hard key:default/one#gpt-4o 10s` */
function words({ target, untilMs, hard }: Disabling): string {
  return `${hard ? 'hard ' : ''}${target} ${(untilMs - nowMs) / 1000}s`;
}

function told({ disable, count }: Consequences): string[] {
  return [...disable.map(words), ...(count === undefined ? [] : [`count ${words(count)}`])];
}

const backend = 'backend:default/chat/a';
const key = 'key:default/one';
const seconds = (disable: Partial<FailureSettings['disable']>): FailureSettings => ({
  ...defaults,
  disable: { ...defaults.disable, ...disable },
});

describe('with a key pool', () => {
  const table: Record<FailureClass, string[]> = {
    Connect: [`count ${backend} 600s`],
    TLS: [`count ${backend} 600s`],
    Timeout: [`count ${backend} 600s`],
    RateLimit: [`${key}#gpt-4o 10s`],
    Quota: [`hard ${key} 3600s`],
    ServerError: [`count ${backend} 600s`],
    Overloaded: [`count ${backend} 600s`],
    Authentication: [`hard ${key} 900s`],
    Permission: [`hard ${key}#gpt-4o 900s`],
    ModelNotFound: [`${backend} 300s`],
    ContextLength: [],
    ContentFilter: [],
    BadRequest: [],
    TooLarge: [],
    InvalidResponse: [`count ${backend} 600s`],
    Truncated: [`count ${backend} 600s`],
    Stalled: [`count ${backend} 600s`],
  };
  test.each(failureClasses)('%s', (failureClass) => {
    const consequence = after(natural(failureClass));
    expect(told(consequence)).toEqual(table[failureClass]);
    for (const disabling of consequence.disable) expect(disabling.reason).toBe(failureClass);
  });

  test('limits rest the key until the reset that the provider named', () => {
    expect(told(after(natural('RateLimit', { retryAfterMs: 1000 })))).toEqual([`${key}#gpt-4o 1s`]);
    expect(told(after(natural('RateLimit', { retryAfterMs: 300_000, scope: 'key' })))).toEqual([`${key} 300s`]);
    expect(told(after(natural('Quota', { retryAfterMs: 86_400_000 })))).toEqual([`hard ${key} 86400s`]);
    expect(told(after(natural('Quota', { retryAfterMs: 1000, scope: 'key-model' })))).toEqual([
      `hard ${key}#gpt-4o 1s`,
    ]);
  });

  test('a request larger than the limit rests nothing', () => {
    expect(told(after(natural('RateLimit', { scope: 'none' })))).toEqual([]);
  });

  test('an operation without a model concerns the whole target', () => {
    expect(told(after(natural('RateLimit'), { model: undefined }))).toEqual([`${key} 10s`]);
    expect(told(after(natural('Permission'), { model: undefined }))).toEqual([`hard ${key} 900s`]);
    expect(told(after(natural('Timeout', { scope: 'backend-model' }), { model: undefined }))).toEqual([
      `count ${backend} 600s`,
    ]);
  });

  test('errors that do not count have no consequence', () => {
    expect(told(after(natural('ServerError', { counts: false, status: 409 })))).toEqual([]);
  });

  test('a refusal of our address counts against the backend and spares the key', () => {
    expect(told(after(natural('Permission', { scope: 'backend', hard: false, counts: true })))).toEqual([
      `count ${backend} 600s`,
    ]);
  });

  test('a backend that answers without content is disabled for that model', () => {
    expect(told(after(natural('Timeout', { scope: 'backend-model' })))).toEqual([`count ${backend}#gpt-4o 600s`]);
  });
});

describe('a refused key', () => {
  const refused = (lastWorkedAtMs: number | undefined, refusals: number) =>
    told(after(natural('Authentication'), { keyHistory: { lastWorkedAtMs, refusals } }));

  test('that never worked is wrong', () => {
    expect(refused(undefined, 0)).toEqual([`hard ${key} 900s`]);
    expect(refused(undefined, 5)).toEqual([`hard ${key} 900s`]);
  });

  test('that worked within the hour may be right: it rests longer each time, up to a quarter of an hour', () => {
    const rests = [0, 1, 2, 3, 4, 5, 6, 7, 2000].map((refusals) => refused(nowMs - 1, refusals)[0]);
    expect(rests).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900].map((rest) => `${key} ${rest}s`));
  });

  test('an hour is an hour', () => {
    expect(refused(nowMs - 3_600_000, 0)).toEqual([`${key} 10s`]);
    expect(refused(nowMs - 3_600_001, 0)).toEqual([`hard ${key} 900s`]);
  });
});

describe('without a pool', () => {
  test.each(['None', 'Workload'] as const)(
    '%s: what is said about the credential is said about the backend',
    (credentials) => {
      const keyless = { credentials, key: undefined };
      expect(told(after(natural('Authentication'), keyless))).toEqual([`count ${backend} 600s`]);
      expect(told(after(natural('Permission'), keyless))).toEqual([`count ${backend} 600s`]);
      expect(told(after(natural('Quota', { status: 402 }), keyless))).toEqual([`count ${backend} 600s`]);
      expect(told(after(natural('RateLimit'), keyless))).toEqual([`${backend} 10s`]);
      expect(told(after(natural('RateLimit', { retryAfterMs: 42_000 }), keyless))).toEqual([`${backend} 42s`]);
      expect(told(after(natural('Quota', { status: 429 }), keyless))).toEqual([`${backend} 3600s`]);
      expect(told(after(natural('Quota', { status: 429, retryAfterMs: 60_000 }), keyless))).toEqual([`${backend} 60s`]);
      expect(told(after(natural('RateLimit', { scope: 'none' }), keyless))).toEqual([]);
      expect(told(after(natural('ServerError', { status: 500 }), keyless))).toEqual([`count ${backend} 600s`]);
    },
  );

  test('a pool that gave no key is no pool', () => {
    expect(told(after(natural('Authentication'), { key: undefined }))).toEqual([`count ${backend} 600s`]);
    expect(told(after(natural('RateLimit'), { key: undefined }))).toEqual([`${backend} 10s`]);
  });

  test("Passthrough: refusals are the client's, faults are the backend's", () => {
    const keyless = { credentials: 'Passthrough' as const, key: undefined };
    for (const failureClass of ['Authentication', 'Permission', 'RateLimit', 'Quota'] as const) {
      expect(told(after(faultOf(failureClass, 401), keyless))).toEqual([]);
      expect(told(after(faultOf(failureClass, 401), keyless, { ...defaults, statusCodes: [[201, 599]] }))).toEqual([]);
    }
    expect(told(after(natural('ServerError', { status: 500 }), keyless))).toEqual([`count ${backend} 600s`]);
  });
});

describe('models and overload', () => {
  test('a model that the client named disables nothing', () => {
    expect(told(after(natural('ModelNotFound'), { modelOfBackend: false }))).toEqual([]);
    expect(told(after(natural('ModelNotFound', { scope: 'none' })))).toEqual([]);
  });

  test("overload rests the model on the upstream's word, at most five minutes, and counts", () => {
    const busy = (retryAfterMs: number) =>
      told(after(natural('Overloaded', { status: 503, scope: 'backend-model', retryAfterMs })));
    expect(busy(5000)).toEqual([`${backend}#gpt-4o 5s`, `count ${backend} 600s`]);
    expect(busy(300_000)).toEqual([`${backend}#gpt-4o 300s`, `count ${backend} 600s`]);
    expect(busy(300_001)).toEqual([`${backend}#gpt-4o 300s`, `count ${backend} 600s`]);
  });

  test('a 429 about capacity rests the model until the reset, at most for the disable time', () => {
    const full = (retryAfterMs?: number, settings = defaults) =>
      told(
        after(
          natural('Overloaded', {
            status: 429,
            scope: 'backend-model',
            ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
          }),
          {},
          settings,
        ),
      );
    expect(full()).toEqual([`${backend}#gpt-4o 600s`, `count ${backend} 600s`]);
    expect(full(20_000)).toEqual([`${backend}#gpt-4o 20s`, `count ${backend} 600s`]);
    expect(full(20_000, seconds({ seconds: 15 }))).toEqual([`${backend}#gpt-4o 15s`, `count ${backend} 15s`]);
  });
});

describe('counting', () => {
  const error = natural('ServerError', { status: 500 });

  test('a listed status counts, whatever its class, and the rest of the consequences stay', () => {
    const settings: FailureSettings = { ...defaults, statusCodes: [[201, 599]] };
    expect(told(after(faultOf('BadRequest', 400), {}, settings))).toEqual([`count ${backend} 600s`]);
    expect(told(after(natural('RateLimit'), {}, settings))).toEqual([`${key}#gpt-4o 10s`, `count ${backend} 600s`]);
    expect(told(after(natural('ModelNotFound', { status: 404 }), {}, settings))).toEqual([
      `${backend} 300s`,
      `count ${backend} 600s`,
    ]);
  });

  test('a poisoned 500 does not count, other poisoned failures do', () => {
    expect(told(after(error, { poisoned: true }))).toEqual([]);
    expect(told(after(natural('ServerError', { status: 502 }), { poisoned: true }))).toEqual([`count ${backend} 600s`]);
    expect(told(after(natural('Connect'), { poisoned: true }))).toEqual([`count ${backend} 600s`]);
  });

  test('a trial that fails disables at once', () => {
    expect(after(error, { trial: true })).toEqual({
      disable: [{ target: backend, untilMs: nowMs + 600_000, reason: 'ServerError', hard: false }],
      count: undefined,
    });
    expect(told(after(faultOf('BadRequest'), { trial: true }))).toEqual([]);
    expect(told(after(error, { trial: true, poisoned: true }))).toEqual([]);
  });

  test('seconds 0 never disables a backend, but keys still rest', () => {
    const never = seconds({ seconds: 0, maxSeconds: 900 });
    for (const failureClass of failureClasses) {
      for (const target of after(natural(failureClass, { retryAfterMs: 5000 }), {}, never).disable)
        expect(target.target).toMatch(/^key:/);
      expect(after(natural(failureClass), { trial: true }, never).count).toBeUndefined();
    }
    expect(told(after(natural('RateLimit'), {}, never))).toEqual([`${key}#gpt-4o 10s`]);
  });

  test('disables grow only where a maximum is set', () => {
    const rest = (repeats: number, disable: Partial<FailureSettings['disable']>) =>
      told(after(error, { repeats: () => repeats }, seconds(disable)));
    expect(rest(5, {})).toEqual([`count ${backend} 600s`]);
    expect([0, 1, 2, 3, 2000].map((repeats) => rest(repeats, { seconds: 10, maxSeconds: 45 })[0])).toEqual(
      [10, 20, 40, 45, 45].map((it) => `count ${backend} ${it}s`),
    );
    expect(rest(3, { seconds: 60, maxSeconds: 30 })).toEqual([`count ${backend} 60s`]);
    expect(rest(0, { seconds: 0.5 })).toEqual([`count ${backend} 0.5s`]);
  });

  test('growth is that of the target in question', () => {
    const repeats = (target: string) => (target === `${backend}#gpt-4o` ? 2 : 0);
    const settings = seconds({ seconds: 10, maxSeconds: 100 });
    expect(told(after(natural('Timeout', { scope: 'backend-model' }), { repeats }, settings))).toEqual([
      `count ${backend}#gpt-4o 40s`,
    ]);
    expect(told(after(error, { repeats }, settings))).toEqual([`count ${backend} 10s`]);
  });
});

test('hard disables are only ever about keys', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...failureClasses),
      fc.constantFrom('backend', 'backend-model', 'key', 'key-model', 'none'),
      fc.constantFrom('KeyPool', 'None', 'Passthrough', 'Workload'),
      fc.option(fc.constant(key), { nil: undefined }),
      fc.boolean(),
      (failureClass, scope, credentials, usedKey, trial) => {
        const { disable, count } = after(natural(failureClass, { scope }), { credentials, key: usedKey, trial });
        for (const { target, hard, untilMs } of [...disable, ...(count === undefined ? [] : [count])]) {
          if (hard) expect(target).toMatch(/^key:/);
          expect(untilMs).toBeGreaterThan(nowMs);
        }
      },
    ),
  );
});
