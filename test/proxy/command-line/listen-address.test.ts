import { expect, test } from 'vitest';
import { parseListenAddress, toAuthority } from '../../../proxy/command-line/listen-address.ts';

test.each([
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'],
  ['localhost:0', { host: 'localhost', port: 0 }, 'localhost:0'],
  ['8080', { host: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'],
  [':8080', { host: '::', port: 8080 }, 'localhost:8080'],
  ['0.0.0.0:1', { host: '0.0.0.0', port: 1 }, 'localhost:1'],
  ['[::1]:8080', { host: '::1', port: 8080 }, '[::1]:8080'],
])('%s is a place to listen', (text, address, authority) => {
  expect(parseListenAddress(text)).toEqual(address);
  expect(toAuthority(address)).toBe(authority);
});

test.each(['', ':', 'a:b', '127.0.0.1', '::1:80', '[::1]', '1:65536', 'http://a:1', 'a b:1'])(
  '"%s" is none',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow('must be HOST:PORT');
  },
);
