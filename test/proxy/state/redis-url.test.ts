import { describe, expect, test } from 'vitest';
import { describeAddress, parseRedisUrl } from '../../../proxy/state/redis-url.ts';

describe('a Redis URL', () => {
  test('names one server', () => {
    expect(parseRedisUrl('redis://cache')).toEqual({
      type: 'single',
      nodes: [{ host: 'cache', port: 6379 }],
      master: '',
      tls: false,
      username: undefined,
      password: undefined,
      sentinelUsername: undefined,
      sentinelPassword: undefined,
      database: 0,
    });
  });

  test.each([
    ['rediss://cache:6380/3', { type: 'single', tls: true, nodes: [{ host: 'cache', port: 6380 }], database: 3 }],
    ['redis://app:p%40ss%3A@cache', { username: 'app', password: 'p@ss:' }],
    ['redis://:secret@cache/', { username: undefined, password: 'secret' }],
    ['redis://[::1]:7000', { nodes: [{ host: '::1', port: 7000 }] }],
    [
      'redis+sentinel://:pw@s1,s2:26380/main/2?sentinelPassword=other',
      {
        type: 'sentinel',
        nodes: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26380 },
        ],
        master: 'main',
        database: 2,
        password: 'pw',
        sentinelPassword: 'other',
      },
    ],
    ['rediss+cluster://n1,n2:7001', { type: 'cluster', tls: true, nodes: [{ port: 6379 }, { port: 7001 }] }],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  test.each([
    'http://cache',
    'cache:6379',
    'redis://',
    'redis://a,b',
    'redis://cache:0',
    'redis://cache:99999',
    'redis://cache/zero',
    'redis://cache/1/2',
    'redis+sentinel://s1,s2',
    'redis+cluster://n1/1',
    'redis://CANARY@cache',
    'redis://user:CANARY%zz@cache',
    'redis+cluster://u:CANARY@n1,,n2',
    `redis+cluster://${Array.from({ length: 40 }, (_, n) => `n${n}`).join(',')}`,
  ])('%s is refused without being repeated', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/Redis URL/);
    expect(() => parseRedisUrl(url)).not.toThrow(/CANARY/);
  });

  test.each(['redis://h:6379', 'rediss+sentinel://a:1,b:2/main/4', 'redis+cluster://[::1]:7000'])(
    '%s is described as it is written',
    (url) => expect(describeAddress(parseRedisUrl(url))).toBe(url),
  );

  test('is described without its credentials', () => {
    const url = 'redis+sentinel://CANARY-user:CANARY-password@s1/main?sentinelPassword=CANARY-sentinel';
    expect(describeAddress(parseRedisUrl(url))).not.toContain('CANARY');
  });
});
