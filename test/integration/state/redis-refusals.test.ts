// A Redis that is there and says no: read-only, full, forbidding; and one in which others write nonsense.

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { soon } from '../../support/soon.ts';
import { isDown, openFleet, type RedisFleet, report, timeUntil } from './redis-fleet.ts';

const program = await requires('redis-server');
const target = (name: string): string => `backend:team-a/chat/${name}`;
const recoveryMaxMs = 20_000;

/** Redis refuses, two proxies learn something each, Redis relents. */
async function refuse(
  { join }: RedisFleet,
  begin: () => Promise<unknown>,
  end: () => Promise<unknown>,
  why: RegExp,
): Promise<void> {
  const [one, two] = [await join(), await join()];
  one.disable(target('before'));
  await soon(() => two.book.until(target('before'))).not.toBe(0);
  await begin();
  one.disable(target('one'));
  two.book.clear(target('before'));
  await soon(() => isDown(one) && isDown(two)).toBe(true);
  expect(one.store.health().detail).toMatch(why);
  expect(one.store.health().proxies).toBe(2);
  // What is in force can still be read: a newcomer is right about all that was told before.
  const late = await join();
  expect(late.book.until(target('before'))).not.toBe(0);
  await delay(2500);
  await end();
  const took = await timeUntil(
    () =>
      two.book.until(target('one')) !== 0 &&
      late.book.until(target('one')) !== 0 &&
      one.book.until(target('before')) === 0,
  );
  report(`news after ${why.source} is over, ms`, { took });
  expect(took).toBeLessThan(recoveryMaxMs);
  await soon(() => isDown(one) || isDown(two)).toBe(false);
  expect(one.lines, one.lines.join('\n')).toHaveLength(3);
}

// They wait most of the time, each with a Redis of its own.
program.describe('a Redis', () => {
  test.concurrent('that became a replica is left and asked again', async () => {
    await using fleet = await openFleet(program.path);
    const { redis } = fleet;
    const nobody = await freePort();
    await refuse(
      fleet,
      () => redis.admin.replicaof('127.0.0.1', nobody),
      () => redis.admin.replicaof('NO', 'ONE'),
      /READONLY/,
    );
  });

  test.concurrent('that is full takes no news and gives what it has', async () => {
    await using fleet = await openFleet(program.path);
    const { redis } = fleet;
    await refuse(
      fleet,
      () => redis.admin.config('SET', 'maxmemory', '1'),
      () => redis.admin.config('SET', 'maxmemory', '0'),
      /OOM/,
    );
  });

  test.concurrent('that has lost its replicas takes no news and gives what it has', async () => {
    await using fleet = await openFleet(program.path);
    const { redis } = fleet;
    await refuse(
      fleet,
      () => redis.admin.config('SET', 'min-replicas-to-write', '1'),
      () => redis.admin.config('SET', 'min-replicas-to-write', '0'),
      /NOREPLICAS/,
    );
  });

  test.concurrent('that wants another password is an outage, and the password is told to nobody', async () => {
    await using fleet = await openFleet(program.path);
    const { redis, create } = fleet;
    await redis.admin.call('ACL', 'SETUSER', 'gateway', 'on', '>right', '~*', '&*', '+@all');
    const one = create({ url: `redis://gateway:CANARY-password@127.0.0.1:${redis.port}` });
    await one.store.start(500);
    expect(isDown(one)).toBe(true);
    expect(one.store.health().detail).toMatch(/WRONGPASS/);
    expect(JSON.stringify([one.lines, one.store.health()])).not.toContain('CANARY');
    expect(one.lines).toHaveLength(1);
  });

  test.concurrent('needs to allow only the few commands that are used, on the keys of the installation', async () => {
    await using fleet = await openFleet(program.path);
    const { redis, join } = fleet;
    const commands =
      'eval evalsha time get set hget hset hmget hincrby del pexpire pexpireat publish subscribe ping select';
    const sets = 'zadd zrem zcard zcount zrangebyscore zremrangebyscore';
    const allowed = `${commands} ${sets}`.split(' ').map((command) => `+${command}`);
    const own = ['on', '>secret', '~{sluice:*', '&{sluice:*', ...allowed];
    await redis.admin.call('ACL', 'SETUSER', 'gateway', ...own);
    const url = `redis://gateway:secret@127.0.0.1:${redis.port}`;
    const [one, two] = [await join({ url }), await join({ url })];
    one.disable(target('b'));
    const took = await timeUntil(() => two.book.until(target('b')) !== 0);
    two.book.clear(target('b'));
    await soon(() => one.book.until(target('b'))).toBe(0);
    expect(took).toBeLessThan(500);
    const lease = await one.store.lease('slot', 60_000);
    expect([lease?.scope, await lease?.renew(), await two.store.lease('slot', 60_000)]).toEqual([
      'fleet',
      true,
      undefined,
    ]);
    lease?.release();
    await soon(async () => (await two.store.lease('slot', 60_000))?.scope).toBe('fleet');
    expect(one.lines).toHaveLength(1);
  });

  describe('in which others write nonsense', () => {
    test.concurrent('harms nobody: what makes no sense is left out, and said once', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      const vandal = new Redis(redis.port, '127.0.0.1');
      const news = '{sluice:default}:news';
      const record = (name: string): string => `{sluice:default}:dis:${name}`;
      const garbage = [
        '',
        'x',
        '{"type":"disable"}',
        '-1',
        '99999999999999999999',
        '\u0000\uFFFF',
        'x'.repeat(100_000),
      ];
      for (const text of garbage) await vandal.publish(news, text);
      const plain = {
        generation: '0',
        until: String(Date.now() + 60_000),
        since: '0',
        id: 'v',
        by: 'v',
        reason: 'Quota',
      };
      await vandal.set(record('a:hard'), 'not a hash');
      await vandal.hset(record('b:hard'), { ...plain, until: 'soon' });
      await vandal.hset(record('c:soft'), { ...plain, reason: 'Spite' });
      await vandal.hset(record('d:soft'), { ...plain, generation: '9007199254740991' });
      await vandal.hset(record('e:clear'), { generation: '9007199254740991' });
      await vandal.hset(record('no kind'), plain);
      await vandal.hset(record('f:hard'), plain);
      const names = ['a:hard', 'b:hard', 'c:soft', 'd:soft', 'e:clear', 'no kind', 'gone:hard', 'f:hard'];
      for (const [n, name] of names.entries()) await vandal.zadd('{sluice:default}:index', 1000 + n, name);
      await vandal.publish(news, '1007');

      // The one record that makes sense is believed: who can write to Redis can disable.
      await soon(() => two.book.until('f')).not.toBe(0);
      const late = await join();
      expect(late.book.list().map((it) => it.target)).toEqual(['f']);
      expect(isDown(one) || isDown(two)).toBe(false);
      expect(two.lines).toHaveLength(2);
      await vandal.quit();
    });

    test('cannot make it slow by announcing what is not there', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      const vandal = new Redis(redis.port, '127.0.0.1');
      const lies = setInterval(() => {
        for (let n = 0; n < 50; n++) void vandal.publish('{sluice:default}:news', '9007199254740991');
      }, 5);
      const took: number[] = [];
      for (let n = 0; n < 50; n++) {
        one.disable(target(`b${n}`));
        took.push(await timeUntil(() => two.book.until(target(`b${n}`)) !== 0));
      }
      clearInterval(lies);
      report('a disable among 10,000 lies a second, ms', { most: Math.max(...took) });
      expect(Math.max(...took)).toBeLessThan(2000);
      await vandal.quit();
    });
  });

  describe('over time', () => {
    test.concurrent('keeps nothing that is over, and everything else not for ever', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      one.disable(target('short'), 300);
      one.disable(target('long'));
      one.book.disable('key:team-a/openai', { untilMs: Infinity, reason: 'Manual', hard: true });
      one.book.clear(target('cleared'));
      await soon(() => two.book.list().length).toBe(3);
      await delay(400);
      // A newcomer reads everything, which tidies.
      await join();
      const keys = await redis.admin.keys('*');
      expect(keys.filter((key) => key.includes('short'))).toEqual([]);
      expect(await redis.admin.zcard('{sluice:default}:index')).toBe(3);
      const day = 24 * 60 * 60 * 1000;
      for (const key of keys) {
        const left = await redis.admin.pttl(key);
        expect(left, key).toBeGreaterThan(0);
        expect(left, key).toBeLessThanOrEqual(31 * day);
        if (key.endsWith('openai:hard')) expect(left).toBeGreaterThan(29 * day);
      }
    });

    test.concurrent('is told again of what only a person ends, before it forgets it', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const one = await join();
      one.book.disable(target('b'), { untilMs: Infinity, reason: 'Manual', hard: true });
      const key = `{sluice:default}:dis:${target('b')}:hard`;
      await soon(() => redis.admin.exists(key)).toBe(1);
      await redis.admin.pexpire(key, 1_000_000);
      await join();
      expect(await redis.admin.pttl(key)).toBeGreaterThan(2_000_000_000);
      // And if it was forgotten all the same.
      await redis.admin.del(key);
      await join();
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await soon(() => redis.admin.exists(key)).toBe(1);
    });
  });
});
