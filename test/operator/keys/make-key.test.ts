import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyBytes, makeKey } from '../../../operator/keys/make-key.ts';

test('a key holds 256 random bits, and nothing that a header, a URL or a shell would stumble over', () => {
  const bytes = randomBytes(keyBytes);
  const key = makeKey(undefined, bytes);
  expect(keyBytes * 8).toBe(256);
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(Buffer.from(key, 'base64url')).toEqual(bytes);
});

test.each([
  ['acme', /^acme-[A-Za-z0-9_-]{43}$/],
  ['acme-prod', /^acme-prod-[A-Za-z0-9_-]{43}$/],
  ['sk-', /^sk-[A-Za-z0-9_-]{43}$/],
  ['acme_', /^acme_[A-Za-z0-9_-]{43}$/],
])('begins with the prefix %s, set off once', (prefix, pattern) => {
  expect(makeKey(prefix, new Uint8Array(keyBytes).fill(251))).toMatch(pattern);
});

test('fewer random bytes make no key', () => {
  expect(() => makeKey(undefined, new Uint8Array(keyBytes - 1))).toThrow(/32 random bytes/);
});
