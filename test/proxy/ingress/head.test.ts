import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHead, isGzip, type RequestHead } from '../../../proxy/ingress/head.ts';
import { defaultIngressLimits } from '../../../proxy/ingress/limits.ts';

/** Text with controls, ASCII and some of what lies beyond. */
const anyText = fc.array(fc.integer({ min: 0, max: 0x2ff })).map((codes) => String.fromCharCode(...codes));

/** The head of a request with these fields, on top of what every request has. */
function headWith(fields: Readonly<Record<string, string>>, minor = 1): RequestHead {
  const headers = minor === 1 ? { host: 'a', ...fields } : fields;
  return { httpVersionMajor: 1, httpVersionMinor: minor, headers, rawHeaders: Object.entries(headers).flat() };
}

const check = (head: RequestHead, target = '/') => checkHead(head, target, defaultIngressLimits);
const withFields = (fields: Readonly<Record<string, string>>) => check(headWith(fields))?.status;

describe('the target', () => {
  test.each([
    '/',
    '/v1/chat/completions',
    '//admin',
    '/a/../b',
    '/%2e%2e/%00',
    '/a?b=c&d=%20',
    '/~!$&\'()*+,;=:@"<>{}|^`',
  ])('%s is taken as it is', (target) => expect(check(headWith({}), target)).toBeUndefined());

  test.each(['', '*', 'a', 'http://a/', 'a:80', '/#', '/a#b', '/a b', '/\t', '/\u00e9', '/\x7f', '/a\r\nb'])(
    '%j is not valid',
    (target) => {
      expect(check(headWith({}), target)?.error.code).toBe('invalid_path');
    },
  );

  test('only visible ASCII that begins with a slash and has no fragment is ever taken', () => {
    fc.assert(
      fc.property(anyText, (target) => {
        const taken = check(headWith({}), target) === undefined;
        expect(taken).toBe(
          [...target].every((char) => char > ' ' && char < '\x7f' && char !== '#') && target.startsWith('/'),
        );
      }),
    );
  });
});

describe('Host', () => {
  test.each(['a', 'a.b:8080', '127.0.0.1', '[::1]:80', 'a_b-c', ''])('%j is taken', (host) => {
    expect(withFields({ host })).toBeUndefined();
  });

  test.each(['a, b', 'a/b', 'a@b', 'a b', 'a#b', 'a?b', 'a\\b'])('%j is refused', (host) => {
    expect(withFields({ host })).toBe(400);
  });

  test('may be missing in HTTP/1.0 only', () => {
    expect(check(headWith({}, 0))).toBeUndefined();
    expect(check({ ...headWith({}), headers: {} })?.status).toBe(400);
  });
});

test('the only transfer encoding is chunked, alone and in HTTP/1.1', () => {
  expect(withFields({ 'transfer-encoding': 'chunked' })).toBeUndefined();
  expect(withFields({ 'transfer-encoding': 'Chunked' })).toBeUndefined();
  for (const coding of ['', 'identity', 'gzip, chunked', 'chunked, chunked', 'chunked;a', ' chunked']) {
    expect(withFields({ 'transfer-encoding': coding })).toBe(400);
  }
  expect(withFields({ 'transfer-encoding': 'chunked', 'content-length': '0' })).toBe(400);
  expect(check(headWith({ 'transfer-encoding': 'chunked' }, 0))?.status).toBe(400);
});

test('versions other than 1.0 and 1.1 are a 505', () => {
  for (const [major, minor] of [
    [0, 9],
    [2, 0],
    [1, 2],
  ] as const) {
    expect(check({ ...headWith({}), httpVersionMajor: major, httpVersionMinor: minor })?.status).toBe(505);
  }
});

test('WebSocket is refused in any spelling, other upgrades are not', () => {
  expect(withFields({ upgrade: 'websocket' })).toBe(400);
  expect(withFields({ upgrade: 'h2c, WebSocket/13' })).toBe(400);
  expect(withFields({ upgrade: 'h2c' })).toBeUndefined();
});

test('an announced length is taken up to the limit', () => {
  const limit = defaultIngressLimits.bodyBytesMax;
  expect(withFields({ 'content-length': String(limit) })).toBeUndefined();
  expect(withFields({ 'content-length': String(limit + 1) })).toBe(413);
  expect(withFields({ 'content-length': '9'.repeat(300) })).toBe(413);
});

test('gzip has two names, and is nothing else beside', () => {
  expect(['gzip', 'GZip', 'x-gzip'].every(isGzip)).toBe(true);
  expect(['', 'gzip, gzip', 'gzip ', 'br', 'identity'].some(isGzip)).toBe(false);
});
