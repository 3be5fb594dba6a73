import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quotaResetMsMax, rateResetMsMax, resetMs, type ResetHints } from '../../../proxy/routing/reset-time.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const nothing: ResetHints = { headers: {}, retryDelay: undefined, text: '' };

function reset(hints: Partial<ResetHints>, capMs = quotaResetMsMax): number | undefined {
  return resetMs({ ...nothing, ...hints }, nowMs, capMs);
}

/** A dimension with nothing left whose reset is written like this. */
function exhausted(value: string): number | undefined {
  return reset({ headers: { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': value } });
}

describe('retry-after', () => {
  test.each([
    ['30', 30_000],
    ['0', 1000],
    ['1', 1000],
    ['1.0001', 1001],
    ['2.5', 2500],
    [' 7 ', 7000],
    ['86400', 86_400_000],
    ['86401', 86_400_000],
    ['999999999999999', 86_400_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thursday, 01-Jan-26 00:00:31 GMT', 31_000],
    ['Thu Jan  1 00:00:32 2026', 32_000],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 1000],
    ['Thu, 01 Jan 2026 00:00:09', 9000],
  ])('%s is understood', (value, wanted) => {
    expect(reset({ headers: { 'retry-after': value } })).toBe(wanted);
  });

  test.each([
    '',
    ' ',
    '-1',
    '-0.5',
    'NaN',
    'Infinity',
    '1e3',
    '0x10',
    '120s',
    '+5',
    '5, 5',
    'soon',
    '9'.repeat(16),
    'Wed, 31 Dec 2025 23:59:59 GMT',
    'Foo, 01 Jan 2026 00:00:30 GMT',
    'Thu, nonsense 00:00:30 GMT',
  ])('"%s" is as good as nothing', (value) => {
    expect(reset({ headers: { 'retry-after': value } })).toBeUndefined();
  });

  test.each(['Fri, 02', 'Sat, 03', 'Sun, 04', 'Mon, 05', 'Tue, 06', 'Wed, 07', 'Thu, 08'])(
    'a date of any day of the week is understood: %s',
    (day) => {
      const wanted = (Number(day.slice(-2)) - 1) * 86_400_000;
      expect(resetMs({ ...nothing, headers: { 'retry-after': `${day} Jan 2026 00:00:00 GMT` } }, nowMs, 1e9)).toBe(
        wanted,
      );
    },
  );

  test("milliseconds are more exact and come first, Azure's name for them too", () => {
    expect(reset({ headers: { 'retry-after-ms': '1500', 'x-ms-retry-after-ms': '1600', 'retry-after': '9' } })).toBe(
      1500,
    );
    expect(reset({ headers: { 'x-ms-retry-after-ms': '1600', 'retry-after': '9' } })).toBe(1600);
    expect(reset({ headers: { 'retry-after-ms': '999.2' } })).toBe(1000);
    expect(reset({ headers: { 'retry-after-ms': '1000.2' } })).toBe(1001);
  });

  test('what cannot be true is passed over for what can', () => {
    expect(
      reset({ headers: { 'retry-after-ms': '-1', 'retry-after': 'soon' }, retryDelay: '-4s', text: 'try again in 3s' }),
    ).toBe(3000);
  });
});

describe('durations in bodies', () => {
  test.each([
    ['46s', 46_000],
    ['35637.7s', 35_637_700],
    ['1.5s', 1500],
    ['0s', 1000],
    ['1h', 3_600_000],
  ])("Google's %s", (retryDelay, wanted) => {
    expect(reset({ retryDelay })).toBe(wanted);
  });

  test.each(['', '46', '-1s', 's', '1x', '1s ', 'NaNs', '1s'.repeat(9)])('Google would not say "%s"', (retryDelay) => {
    expect(reset({ retryDelay })).toBeUndefined();
  });

  test.each([
    ['please try again in 5.289s. need more', 5289],
    ['please try again in 14m35.232s.', 875_232],
    ['please try again in 6m0s', 360_000],
    ['try again in 250ms', 1000],
    ['please retry after 20 seconds.', 20_000],
    ['please retry after 1 second.', 1000],
    ['please retry in 10h2m5s.', 36_125_000],
    ['wait 2 minutes', 120_000],
    ['retry after 1 minute 30 seconds', 90_000],
    ['try again in 1 hour, 5 minutes', 3_900_000],
    ['try again in 1500 milliseconds', 1500],
    ['try again in 1 day', 86_400_000],
    ['wait for 5 seconds', 5000],
    ['please wait 1 hour', 3_600_000],
    ['try again in 2 days', 86_400_000],
    ['retry after 1 minute', 60_000],
  ])('prose: %s', (text, wanted) => {
    expect(reset({ text })).toBe(wanted);
  });

  test.each([
    'try again later',
    'try again in a few minutes',
    'try again in 5',
    'try again in 5 moons',
    'retry after 5months',
    'in 5s',
    'please await 5s',
  ])('prose without a time: %s', (text) => {
    expect(reset({ text })).toBeUndefined();
  });

  test.each([
    ['you will regain access on 2026-01-01 at 00:01 utc.', 60_000],
    ['you will regain access on 2026-02-01 at 00:00 utc.', 86_400_000],
    ['quota will be replenished in 00:00:07.', 7000],
    ['quota will be replenished in 01:02:03.', 3_723_000],
    ['quota will be replenished in 0.20:00:00.', 72_000_000],
    ['quota will be replenished in 1.00:00:00.', 86_400_000],
    ['your quota will reset after 5h59m59s.', 21_599_000],
    ['limit reached, retry after: 30 seconds', 30_000],
  ])('prose: %s', (text, wanted) => {
    expect(reset({ text })).toBe(wanted);
  });

  test('days of a time span are days', () => {
    expect(resetMs({ ...nothing, text: 'will be replenished in 2.00:00:00' }, nowMs, 1e9)).toBe(172_800_000);
  });

  test.each([
    'you will regain access on 2025-12-31 at 23:59 utc.',
    'you will regain access on 2026-13-01 at 00:00 utc.',
    'you will regain access on monday',
    'quota will be replenished in a while',
    'replenished in 00:00:07',
  ])('prose without a moment ahead: %s', (text) => {
    expect(reset({ text })).toBeUndefined();
  });

  test("headers come before bodies, Google's member before prose", () => {
    expect(reset({ headers: { 'retry-after': '2' }, retryDelay: '3s', text: 'try again in 4s' })).toBe(2000);
    expect(reset({ retryDelay: '3s', text: 'try again in 4s' })).toBe(3000);
    expect(
      reset({ headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '5' }, text: 'try again in 4s' }),
    ).toBe(4000);
  });
});

describe('reset headers', () => {
  test.each([
    ['1s', 1000],
    ['6m0s', 360_000],
    ['2m59.56s', 179_560],
    ['100ms', 1000],
    ['33011.38', 33_011_380],
    ['5000000000ns', 5000],
    ['5000000us', 5000],
    ['5000000µs', 5000],
    ['0', 1000],
    ['999999999', 86_400_000],
    ['2026-01-01T00:00:42Z', 42_000],
    ['2026-01-01t01:00:42+01:00', 42_000],
    ['1767225660', 60_000],
    ['1767225660000', 60_000],
  ])('%s', (value, wanted) => {
    expect(exhausted(value)).toBe(wanted);
  });

  test.each([
    '',
    '-1',
    'soon',
    '2025-12-31T23:59:59Z',
    '1767225599',
    '1767225599999',
    '1000000000',
    '1000000000000',
    '2026-01-01',
    'x2026-01-01T00:00:42Z',
    '1y',
  ])('"%s" cannot be true', (value) => {
    expect(exhausted(value)).toBeUndefined();
  });

  test('the latest of the dimensions that have nothing left counts, the others do not', () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:10Z',
      'anthropic-ratelimit-tokens-remaining': '0',
      'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:20Z',
      'anthropic-ratelimit-input-tokens-remaining': '1',
      'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:30Z',
    };
    expect(reset({ headers })).toBe(20_000);
  });

  test.each(['1', '-1', '', 'none', '0.5'])('a remainder of "%s" is not nothing', (remaining) => {
    expect(reset({ headers: { 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': '5' } })).toBeUndefined();
  });

  test('a remainder without a reset, and a reset without a remainder, say nothing', () => {
    expect(reset({ headers: { 'x-ratelimit-remaining': '0' } })).toBeUndefined();
    expect(reset({ headers: { 'x-ratelimit-reset': '5' } })).toBeUndefined();
  });

  test('headers that are not about rate limits are left alone', () => {
    expect(reset({ headers: { 'disk-remaining': '0', 'disk-reset': '5' } })).toBeUndefined();
    expect(reset({ headers: { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '5' } })).toBe(5000);
  });

  test('Anthropic\'s unified limits say "rejected" instead', () => {
    const headers = {
      'anthropic-ratelimit-unified-5h-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': '1767225660',
    };
    expect(reset({ headers })).toBe(60_000);
    expect(
      reset({ headers: { ...headers, 'anthropic-ratelimit-unified-5h-status': 'allowed_warning' } }),
    ).toBeUndefined();
  });
});

describe("the IETF's RateLimit field", () => {
  test.each([
    ['"api";r=0;t=30', 30_000],
    ['"burst";r=0;t=3, "hour";r=0;t=90, "day";r=12;t=3600', 90_000],
    ['"hour";r=0;t=90, "burst";r=0;t=3', 90_000],
    ['limit=100, remaining=0, reset=50', 50_000],
  ])('%s', (ratelimit, wanted) => {
    expect(reset({ headers: { ratelimit } })).toBe(wanted);
  });

  test.each([
    '',
    '"api";pr=0;t=30',
    '"api";r=05;t=30',
    '"api";r=0;t=12345678901',
    '"api";r=0;st=30',
    '"api";r=1;t=30',
    '"api";r=0',
    '"api";t=30',
    'limit=100, remaining=10, reset=50',
    '"api";r=0;t=soon',
  ])('"%s" names nothing that is used up', (ratelimit) => {
    expect(reset({ headers: { ratelimit } })).toBeUndefined();
  });

  test('older fields, one per dimension, come first', () => {
    const headers = { 'ratelimit-remaining': '0', 'ratelimit-reset': '5', ratelimit: '"api";r=0;t=30' };
    expect(reset({ headers })).toBe(5000);
  });
});

test("the cap is the caller's", () => {
  expect(reset({ retryDelay: '2d' }, 1e9)).toBe(172_800_000);
  expect(rateResetMsMax).toBe(300_000);
  expect(quotaResetMsMax).toBe(86_400_000);
  expect(reset({ headers: { 'retry-after': '300' } }, rateResetMsMax)).toBe(300_000);
  expect(reset({ headers: { 'retry-after': '301' } }, rateResetMsMax)).toBe(300_000);
  expect(reset({ headers: { 'retry-after': '299' } }, rateResetMsMax)).toBe(299_000);
});

test('whatever the hints say, the result is undefined or within the clamp', () => {
  const number = fc.oneof(fc.double().map(String), fc.bigInt().map(String), fc.string());
  const unit = fc.constantFrom('', 's', 'ms', 'm', 'h', 'd', ' seconds', 'Z');
  const value = fc.oneof(
    fc.tuple(number, unit).map(([amount, it]) => amount + it),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  const name = fc.constantFrom(
    'retry-after',
    'retry-after-ms',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-reset-requests',
    'x-ratelimit-reset',
  );
  fc.assert(
    fc.property(
      fc.dictionary(name, fc.oneof(value, fc.constant('0'))),
      fc.option(value, { nil: undefined }),
      value,
      fc.integer({ min: 1000, max: 1e9 }),
      (headers, retryDelay, text, capMs) => {
        const result = resetMs({ headers, retryDelay, text: `try again in ${text}` }, nowMs, capMs);
        if (result !== undefined) expect(result >= 1000 && result <= capMs).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});
