import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKubeError, type KubeError, toKubeError } from '../../../operator/kube/kube-error.ts';

const what = 'PATCH /api/v1/namespaces/a/secrets/b';

function errorOf(status: number, body: unknown, retryAfter?: string): KubeError {
  return toKubeError(what, { status, retryAfter, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

describe('an error of the API server', () => {
  test('says what was asked, what was answered, and why', () => {
    const message = 'secrets "b" is forbidden: User "x" cannot patch resource "secrets"';
    const error = errorOf(403, { kind: 'Status', reason: 'Forbidden', message });
    expect(error.message).toBe(`${what} answered 403 Forbidden: ${message}`);
    expect([error.status, error.reason, error.retryAfterMs]).toEqual([403, 'Forbidden', undefined]);
    expect([isKubeError(error, 'Forbidden'), isKubeError(error, 'NotFound')]).toEqual([true, false]);
    expect(isKubeError(new Error('Forbidden'), 'Forbidden')).toBe(false);
  });

  test.each([400, 422])('with %i does not quote what was written', (status) => {
    const body = { reason: 'Invalid', message: 'Secret "b" is invalid: data: Invalid value: "CANARY"' };
    expect(errorOf(status, body).message).toBe(`${what} answered ${status} Invalid`);
  });

  test.each([
    ['a page', '<html>CANARY</html>'],
    ['a text', 'CANARY'],
    ['JSON of another kind', { error: 'CANARY' }],
    ['a list', ['CANARY']],
    ['a message that is none', { message: { data: 'CANARY' } }],
    ['null', 'null'],
    ['nothing', ''],
  ])('whose body is %s quotes nothing of it', (_what, body) => {
    const error = errorOf(503, body);
    expect([error.message, error.status]).toEqual([`${what} answered 503`, 503]);
  });

  test('holds a Status that came where an object was expected to its words', () => {
    const secret = { kind: 'Secret', data: { key: 'CANARY' }, stringData: { key: 'CANARY' } };
    expect(JSON.stringify([errorOf(500, secret), errorOf(500, secret).message])).not.toContain('CANARY');
  });

  test.each([
    [{ details: { retryAfterSeconds: 3 } }, undefined, 3000],
    [{ details: { retryAfterSeconds: 3 } }, '9', 3000],
    [{}, '9', 9000],
    [{}, '0', 0],
    [{ details: null }, '9', 9000],
    [{ details: { retryAfterSeconds: 'soon' } }, '9', 9000],
    [{ details: { retryAfterSeconds: -3 } }, '9', 9000],
    [{}, 'Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    [{}, '-1', undefined],
    [{}, '1.5', undefined],
    [{}, '', undefined],
  ])('with %j and Retry-After %j asks for a wait of %j ms', (body, header, wanted) => {
    expect(errorOf(429, body, header).retryAfterMs).toBe(wanted);
  });

  test('makes some sense of every body', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), fc.jsonValue(), fc.string(), (status, body, header) => {
        const error = errorOf(status, body, header);
        expect(error.message.startsWith(`${what} answered ${status}`)).toBe(true);
        expect(typeof error.reason).toBe('string');
        const { retryAfterMs = 0 } = error;
        expect(retryAfterMs >= 0 && Number.isFinite(retryAfterMs)).toBe(true);
      }),
    );
    const anything = fc.record({ reason: fc.jsonValue(), message: fc.jsonValue(), details: fc.jsonValue() });
    fc.assert(
      fc.property(anything, (body) => {
        expect(typeof errorOf(500, body).reason).toBe('string');
      }),
    );
  });
});
