// Redis gone, frozen, emptied, slow, or behind a dead network: the proxies go on alone, and are together again soon.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { soon } from '../../support/soon.ts';
import { openLine } from './crooked-line.ts';
import { isDown, openFleet, type RedisProxy, report, timeUntil } from './redis-fleet.ts';

const program = await requires('redis-server');
const targets = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `backend:team-a/chat/${name}${n}`);
/** Ten times what the design promises (2 s). */
const recoveryMaxMs = 20_000;

// They wait most of the time, each with a Redis of its own.
program.describe('an outage', () => {
  const knowsAll = ({ book }: RedisProxy, all: readonly string[]): boolean => all.every((it) => book.until(it) !== 0);

  describe.concurrent('of a killed Redis', () => {
    test('loses nothing: started again empty, it is told everything by those who know', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      for (const target of targets('before', 100)) one.disable(target);
      await soon(() => knowsAll(two, targets('before', 100))).toBe(true);
      one.book.clear('backend:team-a/chat/before0');
      await soon(() => two.book.until('backend:team-a/chat/before0')).toBe(0);

      await redis.kill();
      await soon(() => isDown(one) && isDown(two)).toBe(true);
      expect(one.store.health().proxies).toBe(2);
      for (const target of targets('one', 50)) one.disable(target);
      for (const target of targets('two', 50)) two.disable(target);
      two.book.clear('backend:team-a/chat/before1');
      expect(knowsAll(one, targets('one', 50))).toBe(true);

      await redis.restart();
      const all = [...targets('before', 100).slice(2), ...targets('one', 50), ...targets('two', 50)];
      const took = await timeUntil(
        () => knowsAll(one, all) && knowsAll(two, all) && one.book.until('backend:team-a/chat/before1') === 0,
      );
      report('everybody knows everything after Redis returned empty, ms', { took });
      expect(took).toBeLessThan(recoveryMaxMs);
      const late = await join();
      expect(knowsAll(late, all)).toBe(true);
      expect(late.book.list()).toHaveLength(all.length);
      // One line per change: works, is down, works.
      expect(one.lines).toHaveLength(3);
    });

    test('does not lengthen what is told again', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      const target = 'backend:team-a/chat/gpt4';
      one.disable(target, 60_000);
      const untilMs = one.book.until(target);
      await soon(() => two.book.until(target)).not.toBe(0);
      for (let n = 0; n < 3; n++) {
        await redis.kill();
        await soon(() => isDown(one) && isDown(two)).toBe(true);
        await redis.restart();
        await soon(async () => redis.admin.zcard('{sluice:default}:index')).toBe(1);
      }
      const late = await join();
      const grown = [one, two, late].map(({ book }) => book.until(target) - untilMs);
      report('an end after three losses of Redis, moved by ms', { most: Math.max(...grown.map(Math.abs)) });
      expect(grown[0]).toBe(0);
      expect(Math.max(...grown.map(Math.abs))).toBeLessThan(100);
    });

    test('does not stop a start: it gives up in time and joins when Redis is there', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, create, join } = fleet;
      await redis.kill();
      const one = create({ replicas: 3 });
      const begun = performance.now();
      await one.store.start(300);
      expect(performance.now() - begun).toBeLessThan(3000);
      expect(one.store.health()).toMatchObject({ state: 'down', proxies: 3 });
      one.disable('backend:team-a/chat/gpt4');
      await delay(1500);
      await redis.restart();
      const took = await timeUntil(() => !isDown(one));
      report('a proxy that started without Redis joins after, ms', { took });
      const two = await join();
      expect(two.book.until('backend:team-a/chat/gpt4')).not.toBe(0);
      expect(one.lines).toHaveLength(2);
    });

    test('that was only emptied is noticed as well', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const one = await join();
      for (const target of targets('b', 30)) one.disable(target);
      await soon(() => redis.admin.zcard('{sluice:default}:index')).toBe(30);
      await redis.admin.flushall();
      const took = await timeUntil(async () => (await redis.admin.zcard('{sluice:default}:index')) === 30);
      report('facts are back after FLUSHALL, ms', { took });
      expect(took).toBeLessThan(recoveryMaxMs);
    });
  });

  describe.concurrent('of a frozen Redis', () => {
    test('that pauses its clients (CLIENT PAUSE) is no different', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      await redis.admin.call('CLIENT', 'PAUSE', '3000', 'ALL');
      one.disable('backend:team-a/chat/gpt4');
      await soon(() => isDown(one)).toBe(true);
      await soon(() => two.book.until('backend:team-a/chat/gpt4')).not.toBe(0);
      await soon(() => isDown(one) || isDown(two)).toBe(false);
    });

    test('lets a proxy start without it', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, create } = fleet;
      redis.pause();
      const one = create();
      const begun = performance.now();
      await one.store.start(500);
      expect(performance.now() - begun).toBeLessThan(5000);
      expect(isDown(one)).toBe(true);
      redis.resume();
      await soon(() => isDown(one)).toBe(false);
    });
  });

  describe.concurrent('of the network', () => {
    test('that is slow costs news a second or two, never the breaker’s calm', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const line = await openLine(redis.port);
      const [one, two] = [await join({ url: `redis://127.0.0.1:${line.port}` }), await join()];
      line.delay(100);
      const took: number[] = [];
      for (const target of targets('b', 8)) {
        const begun = performance.now();
        one.disable(target);
        expect(performance.now() - begun).toBeLessThan(200);
        took.push(await timeUntil(() => two.book.until(target) !== 0));
        await delay(400);
      }
      const off = targets('b', 8).map((it) => Math.abs(one.book.until(it) - two.book.until(it)));
      report('a disable over a line of 200 ms, ms', { most: Math.max(...took), 'ends apart': Math.max(...off) });
      expect(Math.max(...took)).toBeLessThan(recoveryMaxMs);
      expect(Math.max(...off)).toBeLessThan(1000);
      expect(one.lines.length).toBeLessThan(5);
      await line.close();
    });

    test('that swallows everything is noticed, and its return within seconds', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const line = await openLine(redis.port);
      const [one, two] = [await join({ url: `redis://127.0.0.1:${line.port}` }), await join()];
      line.swallow();
      await soon(() => isDown(one)).toBe(true);
      two.disable('backend:team-a/chat/two');
      one.disable('backend:team-a/chat/one');
      await delay(4000);
      line.heal();
      const took = await timeUntil(
        () => one.book.until('backend:team-a/chat/two') !== 0 && two.book.until('backend:team-a/chat/one') !== 0,
      );
      report('together again after a dead network, ms', { took });
      expect(took).toBeLessThan(recoveryMaxMs);
      await line.close();
    });
  });

  describe('measured with nothing beside it', () => {
    test('of a frozen Redis is not felt: nothing blocks, nothing piles up, and the news arrives afterwards', async () => {
      await using fleet = await openFleet(program.path);
      const { redis, join } = fleet;
      const [one, two] = [await join(), await join()];
      const rounds = 20_000;
      const few = targets('b', 200);
      redis.pause();
      globalThis.gc?.();
      const heapBefore = process.memoryUsage().heapUsed;
      const delays = monitorEventLoopDelay({ resolution: 1 });
      delays.enable();
      let longest = 0;
      for (let n = 0; n < rounds; n++) {
        const begun = performance.now();
        // Each one lengthens a disable, so each one would have to be told.
        one.disable(few[n % few.length] as string, 60_000 + n);
        longest = Math.max(longest, performance.now() - begun);
        if (n % 100 === 0) await delay(5);
      }
      delays.disable();
      globalThis.gc?.();
      const grownMb = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
      report(`${rounds} disables while Redis is frozen`, {
        'longest call ms': longest,
        'loop delay p99 ms': delays.percentile(99) / 1e6,
        'heap grown MB': grownMb,
      });
      expect(isDown(one)).toBe(true);
      expect(longest).toBeLessThan(200);
      expect(grownMb).toBeLessThan(50);
      expect(one.lines.length).toBeLessThan(6);

      await delay(2500);
      const ends = few.map((it) => one.book.until(it));
      redis.resume();
      const took = await timeUntil(() => few.every((it, n) => Math.abs(two.book.until(it) - (ends[n] ?? 0)) < 100));
      report('the others know after Redis thawed, ms', { took });
      expect(took).toBeLessThan(recoveryMaxMs);
      // What was sent into the frozen server and executed late has not lengthened anything.
      await delay(1500);
      const late = await join();
      expect(few.filter((it, n) => Math.abs(late.book.until(it) - (ends[n] ?? 0)) >= 100)).toEqual([]);
    }, 60_000);

    test('of the network that refuses connections costs a little CPU and no lines', async () => {
      await using fleet = await openFleet(program.path);
      const { create } = fleet;
      const one = create({ url: `redis://127.0.0.1:${await freePort()}` });
      await one.store.start(100);
      const before = process.cpuUsage();
      await delay(3000);
      const { user, system } = process.cpuUsage(before);
      report('one proxy without Redis, % of a core', { cpu: (user + system) / 30_000 });
      expect(one.lines).toHaveLength(1);
    });
  });
});
