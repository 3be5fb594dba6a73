// The master of Redis falls silent, a replica takes its place, and the old master comes back believing that it still is one:
// no client notices, what is learnt meanwhile is shared as soon as there is a master, and nothing that was void returns.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, startSentinel, type TestRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import { requires } from '../support/requires.ts';
import { quantile, report } from '../integration/state/redis-fleet.ts';
import { soon } from '../support/soon.ts';
import { failuresOf, Load } from './redis-load.ts';
import type { Member } from './redis-processes.ts';
import { askOnce, type ChaosStage, openChaosStage } from './redis-stage.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const rounds = sized({ usual: 2, full: 20 });
const frozenMs = sized({ usual: 2500, full: 15_000 });
const perSecond = sized({ usual: 40, full: 100 });
/** Once there is a master again. */
const toldMaxMs = 2000;

program.describe('a failover of Redis by Sentinel', () => {
  let stage: ChaosStage;
  let replica: TestRedis;
  let sentinel: TestRedis;

  beforeAll(async () => {
    stage = await openChaosStage(program.path, 3, {}, async (master) => {
      replica = await startRedis(program.path, ['--replicaof', '127.0.0.1', String(master.port)]);
      await eventually(async () => (await replica.admin.info('replication')).includes('master_link_status:up'), 20_000);
      sentinel = await startSentinel(program.path, master);
      await replicaKnown();
      return `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
    await sentinel.stop();
    await replica.stop();
  });

  async function masterPort(): Promise<number> {
    const [, port] = (await sentinel.admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) as [string, string];
    return Number(port);
  }

  /** A failover needs somebody who can take over, in step and not believed to be away. */
  async function replicaKnown(): Promise<void> {
    await eventually(async () => {
      const [found = []] = (await sentinel.admin.call('SENTINEL', 'REPLICAS', 'main')) as [string[] | undefined];
      const fieldOf = (name: string): string | undefined => found[found.indexOf(name) + 1];
      return fieldOf('flags') === 'slave' && fieldOf('master-link-status') === 'ok';
    }, 30_000);
  }

  test(
    `${rounds} times: nothing fails, and all know the same`,
    async () => {
      const load = new Load({
        targets: () => stage.members,
        path: '/mixed/chat/completions',
        perSecond,
        backends: ['good', 'other'],
      }).start();
      const toldMs: number[] = [];
      const promotedMs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await replicaKnown();
        const servers = new Map([stage.redis, replica].map((server) => [server.port, server]));
        const oldPort = await masterPort();
        const old = servers.get(oldPort);
        const [finder, ...others] = stage.members as [Member, Member, Member];
        const before = stage.spare();
        expect((await askOnce(finder, before.path)).status).toBe(503);
        await Promise.all(others.map((member) => member.seen(before.id, 'disabled')));

        const frozenAtMs = performance.now();
        old?.pause();
        // Learnt while there is no master.
        const meanwhile = stage.spare();
        expect((await askOnce(finder, meanwhile.path)).status).toBe(503);
        await soon(masterPort).not.toBe(oldPort);
        const promotedAtMs = performance.now();
        promotedMs.push(promotedAtMs - frozenAtMs);
        const seen = await Promise.all(others.map((member) => member.seen(meanwhile.id, 'disabled')));
        toldMs.push(Math.max(0, ...seen.map((atMs) => atMs - promotedAtMs)));
        // A person's decision under the new master outlives whatever the old one says when it is back.
        await finder.switchBackend(before.id, 'enable');
        await Promise.all(stage.members.map((member) => member.seen(before.id, 'enabled')));
        await delay(Math.max(0, frozenMs - (performance.now() - frozenAtMs)));
        old?.resume();
        await soon(() => old?.admin.info('replication')).toContain('role:slave');
        await delay(1500);
        for (const member of stage.members) {
          expect((await member.backend(before.id)).state).toBe('enabled');
          expect((await member.backend(meanwhile.id)).state).toBe('disabled');
          expect(await storeOf(member)).toBe('ok');
        }
      }
      const outcomes = await load.stop();
      const took = outcomes.map(({ tookMs }) => tookMs);
      report(`${rounds} failovers, the old master silent for ${frozenMs} ms; ms`, {
        requests: outcomes.length,
        p50: quantile(took, 0.5),
        p99: quantile(took, 0.99),
        'until there was a master, at most': Math.max(...promotedMs),
        'then until all were told, at most': Math.max(...toldMs),
      });
      expect(failuresOf(outcomes)).toEqual([]);
      expect(Math.max(...toldMs)).toBeLessThan(toldMaxMs + 2000);
    },
    timeoutMs(900),
  );
});

async function storeOf(member: Member): Promise<string> {
  const { store } = JSON.parse((await member.get('/state')).text) as { readonly store: { readonly state: string } };
  return store.state;
}
