// How long it takes until everybody knows. The figures are printed; the limits leave room for a busy machine.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { soon } from '../../support/soon.ts';
import { closeAll, joinFleet, quantile, type RedisProxy, report, timeUntil } from './redis-fleet.ts';
import { machineMs, type FromRemote, type ToRemote } from './remote-proxy.ts';

const program = await requires('redis-server');
program.describe('the spread of a disable', () => {
  let redis: TestRedis;
  let proxies: RedisProxy[] = [];

  beforeAll(async () => {
    redis = await startRedis(program.path);
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await redis.admin.flushall();
  });
  afterEach(async () => {
    await closeAll(proxies);
    proxies = [];
  });

  async function join(count: number): Promise<RedisProxy[]> {
    for (let n = 0; n < count; n++) proxies.push(await joinFleet({ url: redis.url }));
    return proxies;
  }

  test('over 1,000 disables takes milliseconds', async () => {
    const [one, ...others] = await join(3);
    const begun = new Map<string, number>();
    const took: number[] = [];
    for (const { book } of others) {
      book.onChange(({ target }) => took.push(performance.now() - (begun.get(target) ?? 0)));
    }
    for (let n = 0; n < 1000; n++) {
      begun.set(`backend:team-a/chat/b${n}`, performance.now());
      one?.disable(`backend:team-a/chat/b${n}`);
      await delay(2);
    }
    await soon(() => took.length).toBe(2000);
    report('1,000 disables to two others in this process, ms', {
      p50: quantile(took, 0.5),
      p99: quantile(took, 0.99),
      max: quantile(took, 1),
    });
    expect(quantile(took, 0.5)).toBeLessThan(50);
    expect(quantile(took, 0.99)).toBeLessThan(500);
  }, 60_000);

  test('without pub/sub takes about a second: everybody looks for itself', async () => {
    const [one, two, three] = (await join(3)) as [RedisProxy, RedisProxy, RedisProxy];
    // Nobody may publish or subscribe from now on, and whoever had subscribed is thrown out.
    await redis.admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const took: number[] = [];
    for (let n = 0; n < 6; n++) {
      const target = `backend:team-a/chat/b${n}`;
      one.disable(target);
      took.push(await timeUntil(() => two.book.until(target) !== 0 && three.book.until(target) !== 0));
      await delay(130);
    }
    await redis.admin.call('ACL', 'SETUSER', 'default', 'allchannels');
    report('a disable without pub/sub, ms', { p50: quantile(took, 0.5), max: quantile(took, 1) });
    expect(quantile(took, 1)).toBeLessThan(12_000);
    expect(one.store.health().state).toBe('ok');

    // The subscription comes back by itself.
    await soon(async () => (await redis.admin.pubsub('NUMSUB', '{sluice:default}:news'))[1]).toBe(3);
  });

  test('does not depend on clocks: five minutes apart changes nothing', async () => {
    const skewed = [0, -300_000, 300_000].map((skewMs) => joinFleet({ url: redis.url, skewMs }));
    proxies = await Promise.all(skewed);
    const [straight, behind, ahead] = proxies as [RedisProxy, RedisProxy, RedisProxy];
    const target = 'backend:team-a/chat/gpt4';
    const ends: number[] = [];
    for (const proxy of [behind, ahead, straight]) {
      proxy.disable(target, 1500);
      await soon(() => proxies.every(({ book }) => book.until(target) !== 0)).toBe(true);
      const remaining = proxies.map(({ book, clock }) => book.until(target) - clock.now());
      ends.push(Math.max(...remaining) - Math.min(...remaining));
      await soon(() => proxies.every(({ book }) => book.until(target) === 0)).toBe(true);
      proxy.disable(target, 60_000);
      await soon(() => proxies.every(({ book }) => book.until(target) !== 0)).toBe(true);
      // Also what was disabled by a clock that is ahead is cleared by one that is behind.
      behind.book.clear(target);
      await soon(() => proxies.every(({ book }) => book.until(target) === 0)).toBe(true);
    }
    report('ends of one disable, apart at clocks ±5 min, ms', { max: Math.max(...ends) });
    expect(Math.max(...ends)).toBeLessThan(1000);
  });

  test('between processes takes milliseconds, and a new process knows before it has started', async () => {
    const remotes = await Promise.all([0, 1, 2].map((n) => startRemote(redis.url, `remote-${n}`, (n - 1) * 300_000)));
    const [first, ...others] = remotes as [Remote, ...Remote[]];
    const took: number[] = [];
    const remaining: number[] = [];
    for (let n = 0; n < 300; n++) {
      const target = `backend:team-a/chat/b${n}`;
      const begun = machineMs();
      first.tell({ do: 'disable', target });
      await delay(3);
      await soon(() => others.every(({ learnt }) => learnt.has(target))).toBe(true);
      // From when the message reached the first process.
      const told = Math.max(begun, first.learnt.get(target)?.atMs ?? begun);
      for (const { learnt } of others) {
        took.push((learnt.get(target)?.atMs ?? Infinity) - told);
        remaining.push(learnt.get(target)?.remainingMs ?? 0);
      }
    }
    report('300 disables between processes at clocks ±5 min, ms', {
      p50: quantile(took, 0.5),
      p99: quantile(took, 0.99),
      max: quantile(took, 1),
      'off the end at most': Math.max(...remaining.map((it) => Math.abs(60_000 - it))),
    });
    expect(quantile(took, 0.99)).toBeLessThan(500);

    const late = await startRemote(redis.url, 'remote-late', 0);
    expect(late.known).toHaveLength(300);
    await Promise.all([...remotes, late].map(({ end }) => end()));
  }, 60_000);
});

interface Remote {
  readonly known: readonly string[];
  readonly learnt: ReadonlyMap<string, { readonly atMs: number; readonly remainingMs: number }>;
  readonly tell: (message: ToRemote) => void;
  readonly end: () => Promise<void>;
}

async function startRemote(url: string, proxyId: string, skewMs: number): Promise<Remote> {
  const child: ChildProcess = fork(new URL('remote-proxy.ts', import.meta.url), { execArgv: [] });
  const learnt = new Map<string, { readonly atMs: number; readonly remainingMs: number }>();
  const started = new Promise<readonly string[]>((resolve, reject) => {
    child.on('exit', () => reject(new Error('the process ended')));
    child.on('message', (message: FromRemote) => {
      if (message.did === 'start') resolve(message.known);
      else if (message.did === 'learn' && !learnt.has(message.target)) learnt.set(message.target, message);
    });
  });
  const tell = (message: ToRemote): void => void child.send(message);
  tell({ do: 'start', url, proxyId, skewMs });
  const end = async (): Promise<void> => {
    tell({ do: 'close' });
    await once(child, 'exit');
  };
  return { known: await started, learnt, tell, end };
}
