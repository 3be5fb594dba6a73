import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../../../proxy/canonical/client-error.ts';
import { type Failure, type FailureClass, failureClasses } from '../../../proxy/canonical/failure.ts';
import { exhausted, inBandError } from '../../../proxy/routing/exhausted.ts';
import { failureOf, faultOf } from './failures.ts';

/** `503 upstream_unavailable`, with `after 5000` where a wait is named. */
function answer(failures: readonly (FailureClass | Failure)[], returnMs?: number): string {
  const error = exhausted(
    failures.map((it) => (typeof it === 'string' ? failureOf(it) : it)),
    returnMs,
  );
  return [error.status, error.code, ...(error.retryAfterMs === undefined ? [] : ['after', error.retryAfterMs])].join(
    ' ',
  );
}

describe('when nothing is left', () => {
  const alone: Partial<Record<FailureClass, string>> = {
    Connect: '503 upstream_unavailable',
    TLS: '502 upstream_tls_failed',
    Timeout: '504 upstream_timeout',
    RateLimit: '429 rate_limit_exceeded',
    Quota: '429 insufficient_quota',
    ServerError: '502 upstream_error',
    Overloaded: '503 upstream_overloaded',
    Authentication: '502 upstream_auth_failed',
    Permission: '502 upstream_permission_denied',
    ModelNotFound: '404 model_not_found',
    InvalidResponse: '502 invalid_upstream_response',
    Truncated: '502 stream_truncated',
    Stalled: '504 upstream_timeout',
  };
  test.each(Object.entries(alone))('all %s is %s', (failureClass, wanted) => {
    expect(answer([failureClass as FailureClass])).toBe(wanted);
    expect(answer([failureClass as FailureClass, failureClass as FailureClass])).toBe(wanted);
  });

  test.each<[string, readonly FailureClass[]]>([
    ['429 rate_limit_exceeded', ['RateLimit', 'Quota']],
    ['429 rate_limit_exceeded', ['Quota', 'RateLimit', 'Quota']],
    ['503 upstream_unavailable', ['RateLimit', 'Connect']],
    ['503 upstream_unavailable', ['Connect', 'Timeout', 'ServerError']],
    ['503 upstream_unavailable', ['Overloaded', 'ServerError']],
    ['503 upstream_unavailable', ['ServerError', 'Overloaded', 'RateLimit']],
    ['503 upstream_unavailable', ['Overloaded', 'Connect']],
    ['503 upstream_unavailable', ['ModelNotFound', 'Connect']],
    ['504 upstream_timeout', ['ServerError', 'Timeout', 'RateLimit']],
    ['504 upstream_timeout', ['Stalled', 'ServerError']],
    ['502 upstream_error', ['RateLimit', 'ServerError']],
    ['502 upstream_error', ['Authentication', 'Permission']],
    ['502 upstream_error', ['ModelNotFound', 'RateLimit']],
    ['502 upstream_error', ['InvalidResponse', 'TLS']],
  ])('%s after %j', (wanted, classes) => {
    expect(answer(classes)).toBe(wanted);
  });

  test('nothing could even be tried', () => {
    expect(answer([])).toBe('503 all_backends_disabled');
    expect(answer([], 5000)).toBe('503 all_backends_disabled after 5000');
    expect(answer([], 60_000)).toBe('503 all_backends_disabled after 60000');
    expect(answer([], 60_001)).toBe('503 all_backends_disabled after 60000');
    expect(answer([], Infinity)).toBe('503 all_backends_disabled after 60000');
    expect(answer([], -5)).toBe('503 all_backends_disabled after 0');
  });

  test('the soonest of what upstreams named and what returns here is the wait', () => {
    const limits = [
      failureOf('RateLimit', { retryAfterMs: 9000 }),
      failureOf('RateLimit', { retryAfterMs: 7000 }),
      failureOf('RateLimit'),
    ];
    expect(answer(limits)).toBe('429 rate_limit_exceeded after 7000');
    expect(answer(limits, 8000)).toBe('429 rate_limit_exceeded after 7000');
    expect(answer(limits, 6000)).toBe('429 rate_limit_exceeded after 6000');
    expect(answer(['RateLimit'], 6000)).toBe('429 rate_limit_exceeded after 6000');
    expect(answer(['ServerError'], 6000)).toBe('502 upstream_error after 6000');
    expect(answer([failureOf('Quota', { retryAfterMs: 36_000_000 })])).toBe('429 insufficient_quota after 60000');
  });

  test('no wait is named where a retry cannot help', () => {
    expect(answer(['Authentication'], 6000)).toBe('502 upstream_auth_failed');
    expect(answer(['Permission'], 6000)).toBe('502 upstream_permission_denied');
    expect(answer(['ModelNotFound'], 6000)).toBe('404 model_not_found');
    expect(exhausted([failureOf('Authentication')], undefined).retryable).toBe(false);
    expect(exhausted([failureOf('Quota')], undefined).retryable).toBe(false);
  });
});

describe("the client's own fault", () => {
  test.each([
    ['BadRequest', 'invalid_request'],
    ['ContextLength', 'context_length_exceeded'],
    ['ContentFilter', 'content_filter'],
    ['TooLarge', 'request_too_large'],
    ['Authentication', 'upstream_auth_failed'],
    ['Permission', 'upstream_permission_denied'],
    ['Quota', 'insufficient_quota'],
  ] as const)("%s is told in the upstream's words", (failureClass, code) => {
    const error = exhausted([failureOf('ServerError'), faultOf(failureClass, 422, 'Mend it.')], 5000);
    expect(error).toMatchObject({ code, status: 422, message: 'Mend it.', retryable: false, retryAfterMs: undefined });
    expect(error.upstream).toEqual({ status: 422, message: 'Mend it.', code: 'code', type: 'type', param: 'param' });
  });

  test("a limit of the client's names its reset", () => {
    const limit = faultOf('RateLimit', 429, 'Slow down.');
    expect(exhausted([{ ...limit, retryAfterMs: 7000 }], undefined)).toMatchObject({
      status: 429,
      message: 'Slow down.',
      retryAfterMs: 7000,
    });
    expect(exhausted([limit], undefined)).toMatchObject({ status: 429, retryAfterMs: undefined });
  });

  test("without a sentence of the upstream's, the catalogue's", () => {
    const error = exhausted([faultOf('TooLarge', 413, '')], undefined);
    expect(error.message).toBe(errorCatalogue.request_too_large.message);
    expect(error.upstream?.message).toBe(errorCatalogue.request_too_large.message);
  });

  test('others could have taken the request and failed: that is the news', () => {
    expect(answer([faultOf('ContextLength'), 'RateLimit'], 4000)).toBe('429 rate_limit_exceeded after 4000');
    expect(answer([faultOf('ContextLength'), 'Connect'])).toBe('503 upstream_unavailable');
    expect(answer([faultOf('BadRequest'), 'ServerError'])).toBe('502 upstream_error');
  });

  test('nobody else knew the model: the fault is the news', () => {
    expect(answer([faultOf('ContextLength'), 'ModelNotFound'])).toBe('400 context_length_exceeded');
    expect(answer(['ModelNotFound', faultOf('BadRequest', 422)])).toBe('422 invalid_request');
    expect(answer([faultOf('ContextLength'), 'ModelNotFound', 'Connect'])).toBe('503 upstream_unavailable');
  });
});

describe('after content', () => {
  const codes: Record<FailureClass, string> = {
    Connect: 'stream_truncated',
    TLS: 'stream_truncated',
    Timeout: 'stream_timeout',
    RateLimit: 'rate_limit_exceeded',
    Quota: 'insufficient_quota',
    ServerError: 'upstream_error',
    Overloaded: 'upstream_overloaded',
    Authentication: 'upstream_auth_failed',
    Permission: 'upstream_permission_denied',
    ModelNotFound: 'model_not_found',
    ContextLength: 'context_length_exceeded',
    ContentFilter: 'content_filter',
    BadRequest: 'invalid_request',
    TooLarge: 'request_too_large',
    InvalidResponse: 'invalid_upstream_response',
    Truncated: 'stream_truncated',
    Stalled: 'stream_timeout',
  };
  test.each(failureClasses)('%s', (failureClass) => {
    const cause = new Error('secret words');
    const error = inBandError(failureOf(failureClass, { cause }));
    expect(error.code).toBe(codes[failureClass]);
    expect(error.message).toBe(errorCatalogue[error.code].message);
    expect(error.cause).toBe(cause);
  });

  test("a client's fault keeps the upstream's words, a limit its reset", () => {
    expect(inBandError(faultOf('ContentFilter', 400, 'No.'))).toMatchObject({ code: 'content_filter', message: 'No.' });
    expect(inBandError(failureOf('RateLimit', { retryAfterMs: 90_000 })).retryAfterMs).toBe(60_000);
  });
});

test("whatever failed, the wait is at most a minute and nothing of an upstream's fault is told", () => {
  const failure = fc
    .record({ class: fc.constantFrom(...failureClasses), retryAfterMs: fc.integer({ min: 1000, max: 86_400_000 }) })
    .map(({ class: failureClass, retryAfterMs }) =>
      failureOf(failureClass, { retryAfterMs, cause: new Error('secret words') }),
    );
  fc.assert(
    fc.property(
      fc.array(failure, { maxLength: 8 }),
      fc.option(fc.double({ min: 0 }), { nil: undefined }),
      (failures, returnMs) => {
        const error = exhausted(failures, returnMs);
        expect(error.message).toBe(errorCatalogue[error.code].message);
        expect(error.status).toBe(errorCatalogue[error.code].status);
        expect(error.upstream).toBeUndefined();
        if (error.retryAfterMs !== undefined)
          expect(error.retryAfterMs >= 0 && error.retryAfterMs <= 60_000).toBe(true);
      },
    ),
  );
});
