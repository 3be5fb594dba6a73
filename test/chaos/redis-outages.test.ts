// Redis is an optimisation: whatever becomes of it, no client notices, and what was learnt meanwhile is shared as soon as
// it is back. Three real processes under steady traffic with one of three backends failing all the time.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, type TestRedis } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { quantile, report } from '../integration/state/redis-fleet.ts';
import { soon } from '../support/soon.ts';
import { failuresOf, Load, type Outcome } from './redis-load.ts';
import { type Member, usageOf } from './redis-processes.ts';
import { askOnce, type ChaosStage, openChaosStage } from './redis-stage.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const perSecond = sized({ usual: 60, full: 150 });
const calmMs = sized({ usual: 1500, full: 10_000 });
const outageMs = sized({ usual: 1500, full: 20_000 });
const frozenMs = sized({ usual: 3000, full: 20_000 });
const recoveryMaxMs = 2000;
/** On a machine that is busy with other tests; a request that waited for a dead Redis would take longer. */
const p99MaxMs = 1000;
const logBytesMax = 100;
/** Every change of state is a line, however short the outage. */
const changesBytesMax = 3 * 1000;

/** A way in which Redis fails, and how it comes back. */
interface Outage {
  readonly name: string;
  readonly lastsMs: number;
  readonly begin: (redis: TestRedis) => Promise<unknown>;
  readonly end: (redis: TestRedis) => Promise<unknown>;
}

const set = (redis: TestRedis, name: string, value: string): Promise<unknown> =>
  redis.admin.call('CONFIG', 'SET', name, value);

const outages: readonly Outage[] = [
  { name: 'killed', lastsMs: outageMs, begin: (redis) => redis.kill(), end: (redis) => redis.restart() },
  {
    name: 'frozen',
    lastsMs: frozenMs,
    begin: async (redis) => redis.pause(),
    end: async (redis) => redis.resume(),
  },
  {
    name: 'restarted empty',
    lastsMs: 0,
    begin: (redis) => redis.kill(),
    end: (redis) => redis.restart(),
  },
  {
    name: 'a replica of nowhere',
    lastsMs: outageMs,
    begin: async (redis) => redis.admin.call('REPLICAOF', '127.0.0.1', String(await freePort())),
    end: (redis) => redis.admin.call('REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'without its replicas',
    lastsMs: outageMs,
    begin: (redis) => set(redis, 'min-replicas-to-write', '1'),
    end: (redis) => set(redis, 'min-replicas-to-write', '0'),
  },
  {
    name: 'full',
    lastsMs: outageMs,
    begin: (redis) => set(redis, 'maxmemory', '1'),
    end: (redis) => set(redis, 'maxmemory', '0'),
  },
];

program.describe('an outage of Redis under traffic', () => {
  let stage: ChaosStage;
  let load: Load;

  beforeAll(async () => {
    stage = await openChaosStage(program.path, 3);
    load = new Load({
      targets: () => stage.members,
      path: '/mixed/chat/completions',
      perSecond,
      backends: ['good', 'other'],
    }).start();
    await delay(500);
    const from = performance.now();
    const { cpuMs } = await usageOf(stage.members);
    await delay(calmMs);
    const calm = load.between(from, performance.now());
    const spentMs = (await usageOf(stage.members)).cpuMs - cpuMs;
    report('before any outage, ms', { ...figures(calm), 'CPU ms a request': spentMs / calm.length });
  });
  afterAll(async () => {
    await load.stop();
    await stage[Symbol.asyncDispose]();
  });

  test.each(outages)(
    '$name: no request fails or waits, and what is learnt is shared again',
    async ({ name, lastsMs, begin, end }) => {
      const { redis, members } = stage;
      await soon(async () => (await storesOf(members)).join()).toBe('ok,ok,ok');
      const [finder, ...others] = members as [Member, Member, Member];
      const { id, path } = stage.spare();
      const before = { usage: await usageOf(members), bytes: bytesOf(members) };

      const beganMs = performance.now();
      await begin(redis);
      // Learnt while nobody can be told.
      expect((await askOnce(finder, path)).status).toBe(503);
      await delay(lastsMs);
      if (lastsMs > 0) expect((await others[0]?.backend(id))?.state).toBe('enabled');
      await end(redis);
      const returnedMs = performance.now();
      const known = await Promise.all(others.map((member) => member.seen(id, 'disabled')));
      const recoveryMs = Math.max(...known) - returnedMs;
      const endedMs = performance.now();
      const after = { usage: await usageOf(members), bytes: bytesOf(members) };

      // What was due is answered within the next moments.
      await delay(300);
      const during = load.between(beganMs, endedMs);
      const logBytes = after.bytes - before.bytes;
      report(`Redis ${name}, ms`, {
        ...figures(during),
        'p99 of the first second': figures(load.between(beganMs, beganMs + 1000))['p99'] ?? 0,
        recovery: recoveryMs,
        'log bytes a request': logBytes / during.length,
        'CPU ms a request': (after.usage.cpuMs - before.usage.cpuMs) / during.length,
        'RSS MB more': after.usage.megabytes - before.usage.megabytes,
      });
      expect(failuresOf(during)).toEqual([]);
      expect(during.length).toBeGreaterThan(((endedMs - beganMs) / 1000) * perSecond * 0.9 - 5);
      expect(figures(during)['p99']).toBeLessThan(p99MaxMs);
      expect(recoveryMs).toBeLessThan(recoveryMaxMs);
      expect(logBytes).toBeLessThan(Math.max(changesBytesMax, logBytesMax * during.length));
      await finder.switchBackend(id, 'enable');
      await Promise.all(members.map((member) => member.seen(id, 'enabled')));
    },
    timeoutMs(60),
  );

  test('no request failed at any time', async () => {
    const all = await load.stop();
    expect(failuresOf(all)).toEqual([]);
    report('the whole run, ms', { ...figures(all), requests: all.length });
  });
});

/** Latencies of requests that were answered. */
function figures(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const took = outcomes.map(({ tookMs }) => tookMs);
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99), max: quantile(took, 1) };
}

function bytesOf(members: readonly Member[]): number {
  return members.reduce((sum, member) => sum + member.bytesWritten(), 0);
}

async function storesOf(members: readonly Member[]): Promise<readonly string[]> {
  return Promise.all(
    members.map(async (member) => {
      const { store } = JSON.parse((await member.get('/state')).text) as { readonly store: { readonly state: string } };
      return store.state;
    }),
  );
}
