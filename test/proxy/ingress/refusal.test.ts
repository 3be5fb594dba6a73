import { expect, test } from 'vitest';
import { encodeRefusal, httpRefusal, refusal, toRefusal } from '../../../proxy/ingress/refusal.ts';

const wire = { requestId: 'mine', nowMs: 0, withBody: true };
const encoded = { status: 400, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"ü":1}') };

test('a refusal is one whole answer that ends the connection', () => {
  const bytes = encodeRefusal(encoded, httpRefusal(431, 'Too large.'), wire).toString('utf8');
  expect(bytes.split('\r\n')).toEqual([
    'HTTP/1.1 431 Request Header Fields Too Large',
    'content-type: application/json',
    'x-request-id: mine',
    'content-length: 8',
    'connection: close',
    'date: Thu, 01 Jan 1970 00:00:00 GMT',
    '',
    '{"ü":1}',
  ]);
});

test('what the protocol says of framing and id does not count', () => {
  const headers = { 'content-length': '99', 'x-request-id': 'other', connection: 'keep-alive' };
  const text = encodeRefusal({ ...encoded, headers }, refusal('invalid_path'), wire).toString('utf8');
  expect(text).not.toMatch(/99|other|keep-alive/);
});

test('an answer to HEAD has the length of its body, not the body', () => {
  const text = encodeRefusal(encoded, refusal('invalid_path'), { ...wire, withBody: false }).toString('utf8');
  expect(text).toMatch(/content-length: 8\r\n.*\r\n\r\n$/s);
});

test.each([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_INVALID_METHOD', 400],
  ['HPE_INVALID_EOF_STATE', 400],
])('%s is a %i', (code, status) => {
  expect(toRefusal(code)?.status).toBe(status);
});

test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', undefined])('after %s there is nobody left to tell', (code) => {
  expect(toRefusal(code)).toBeUndefined();
});

test('overloaded says when to try again', () => {
  expect(refusal('overloaded').error.retryAfterMs).toBe(1000);
  expect(refusal('request_too_large').error.retryAfterMs).toBeUndefined();
});
