import { expect, it } from 'vitest';
import { asApiFailure, toApiFailure } from '../../../proxy/kube/api-failure.ts';

const status = (members: object): string => JSON.stringify({ kind: 'Status', ...members });

it('the words of a Status are kept, anything else that a server writes is not', () => {
  expect(toApiFailure(403, status({ message: 'configmaps "x" is forbidden' }))).toMatchObject({
    kind: '403',
    message: '403: configmaps "x" is forbidden',
  });
  expect(toApiFailure(403, status({ message: 'x'.repeat(5000) })).message).toHaveLength(305);
  for (const body of ['', '<html>CANARY', '{"data":"CANARY"}', 'null', '7', status({ message: 7 })]) {
    expect(toApiFailure(500, body)).toMatchObject({ kind: '500', message: '500', retryAfterMs: undefined });
  }
});

it.each([
  ['its Status', status({ details: { retryAfterSeconds: 3 } }), '9', 3000],
  ['its header', '', '9', 9000],
  ['a date, which the API server never sends', '', 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ['two headers', '', ['1', '2'], undefined],
  ['nothing', '', undefined, undefined],
])('how long to wait is in %s', (_what, body, header, waitMs) => {
  expect(toApiFailure(429, body, header).retryAfterMs).toBe(waitMs);
});

it('whatever is thrown has a kind, and quotes no answer', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' });
  expect(asApiFailure(refused)).toMatchObject({ kind: 'ECONNREFUSED', message: refused.message });
  expect(asApiFailure(new AggregateError([refused, refused]))).toMatchObject({ kind: 'ECONNREFUSED' });
  expect(asApiFailure(new TypeError('odd'))).toMatchObject({ kind: 'TypeError', message: 'odd' });
  expect(asApiFailure('CANARY')).toMatchObject({ kind: 'unknown', message: 'it failed' });
  let quoting: unknown;
  try {
    JSON.parse('CANARY');
  } catch (error) {
    quoting = error;
  }
  expect(String(quoting)).toContain('CANARY');
  expect(asApiFailure(quoting)).toMatchObject({ kind: 'no-json', message: 'an answer that is no JSON' });
  expect(asApiFailure(quoting).cause).toBeUndefined();
});
