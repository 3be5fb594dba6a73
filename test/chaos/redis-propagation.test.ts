// What one gateway finds out, or is told by a person, counts for all: three real processes, one real Redis.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { quantile, report } from '../integration/state/redis-fleet.ts';
import { soon } from '../support/soon.ts';
import type { Member } from './redis-processes.ts';
import { askOnce, type ChaosStage, openChaosStage } from './redis-stage.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const disables = sized({ usual: 200, full: 1000 });
const silentDisables = sized({ usual: 6, full: 40 });
const flaky = 'default/first/flaky';
const path = '/first/chat/completions';

program.describe('what one gateway knows, all know', () => {
  let stage: ChaosStage;
  beforeAll(async () => {
    stage = await openChaosStage(program.path, 3);
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** The members, one of them first, a different one each time. */
  function rotated(turn: number): readonly [Member, Member, Member] {
    const { members } = stage;
    const at = (offset: number): Member => members[(turn + offset) % members.length] as Member;
    return [at(0), at(1), at(2)];
  }

  async function enableEverywhere(by: Member, id: string): Promise<void> {
    await by.switchBackend(id, 'enable');
    await Promise.all(stage.members.map((member) => member.seen(id, 'enabled')));
  }

  test(
    `a disable that one finds is obeyed by the others: ${disables} times, measured from outside`,
    async () => {
      const took: number[] = [];
      for (let turn = 0; turn < disables; turn += 1) {
        const [finder, ...others] = rotated(turn);
        const first = await askOnce(finder, path);
        expect([first.status, first.headers['x-sluice-attempts']]).toEqual([200, '2']);
        const seen = await Promise.all(others.map((member) => member.seen(flaky, 'disabled')));
        for (const atMs of seen) took.push(Math.max(0, atMs - stage.failedAtMs()));

        const before = stage.flaky.requests.length;
        const answers = await Promise.all(others.map((member) => askOnce(member, path)));
        expect(answers.map(({ headers }) => headers['x-sluice-attempts'])).toEqual(['1', '1']);
        expect(stage.flaky.requests.length).toBe(before);
        await enableEverywhere(others[turn % 2] as Member, flaky);
      }
      report(`${disables} disables, from the failing answer to /state of two other processes, ms`, {
        p50: quantile(took, 0.5),
        p99: quantile(took, 0.99),
        max: quantile(took, 1),
      });
      // Announced by pub/sub; a look of its own every second is the backstop that would show here.
      expect(quantile(took, 0.5)).toBeLessThan(100);
      expect(quantile(took, 0.99)).toBeLessThan(1200);
    },
    timeoutMs(180),
  );

  test(
    `without pub/sub the look that each takes every second is enough: ${silentDisables} times`,
    async () => {
      // Nobody may subscribe any more, and those who had are disconnected.
      await stage.redis.admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
      const took: number[] = [];
      try {
        for (let turn = 0; turn < silentDisables; turn += 1) {
          const [finder, ...others] = rotated(turn);
          const { id, path: pin } = stage.spare();
          expect((await askOnce(finder, pin)).status).toBe(503);
          const failedAtMs = stage.failedAtMs();
          const seen = await Promise.all(others.map((member) => member.seen(id, 'disabled')));
          for (const atMs of seen) took.push(Math.max(0, atMs - failedAtMs));
        }
      } finally {
        await stage.redis.admin.call('ACL', 'SETUSER', 'default', 'allchannels');
      }
      report(`${silentDisables} disables without pub/sub, ms`, {
        p50: quantile(took, 0.5),
        p99: quantile(took, 0.99),
        max: quantile(took, 1),
      });
      // A beat of a second, and what a busy machine takes for a request and its answer.
      expect(quantile(took, 1)).toBeLessThan(3000);
      expect(quantile(took, 0.5)).toBeLessThan(1000);
    },
    timeoutMs(180),
  );

  test('a person switches a backend off and on through any admin port, for all', async () => {
    const [one, two, three] = rotated(0);
    const { upstreams } = stage;
    const a = 'default/steady/a';
    expect((await one.switchBackend(a, 'disable')).status).toBe(200);
    await Promise.all([two, three].map((member) => member.seen(a, 'disabled')));
    expect(await three.backend(a)).toMatchObject({ hard: true, reason: 'Manual' });

    const before = upstreams.good.requests.length;
    for (const member of stage.members) {
      for (let time = 0; time < 4; time += 1) {
        expect((await askOnce(member, '/steady/chat/completions')).headers['x-sluice-backend']).toBe('b');
      }
      const pinned = await askOnce(member, '/steady/a/chat/completions');
      expect([pinned.status, errorOf(pinned).code]).toEqual([503, 'backend_disabled']);
    }
    expect(upstreams.good.requests.length).toBe(before);

    expect((await three.switchBackend(a, 'enable')).status).toBe(200);
    await Promise.all([one, two].map((member) => member.seen(a, 'enabled')));
    for (const member of stage.members) {
      expect((await askOnce(member, '/steady/a/chat/completions')).status).toBe(200);
    }
  });

  test('enabling clears soft and hard, whoever made them, and nothing comes back', async () => {
    const [one, two, three] = rotated(1);
    const { id, path: pin } = stage.spare();
    expect((await askOnce(one, pin)).status).toBe(503);
    await Promise.all(stage.members.map((member) => member.seen(id, 'disabled')));
    await two.switchBackend(id, 'disable');
    await soon(async () => Promise.all(stage.members.map(async (member) => (await member.backend(id)).hard))).toEqual([
      true,
      true,
      true,
    ]);
    await enableEverywhere(three, id);
    // Longer than the backstop: what one of them still held would have been told again by now.
    await delay(1500);
    const states = await Promise.all(stage.members.map((member) => member.backend(id)));
    expect(states.map(({ state }) => state)).toEqual(['enabled', 'enabled', 'enabled']);
  });

  test('a disable with an end ends everywhere by itself', async () => {
    const [one] = rotated(2);
    const { id } = stage.spare();
    const begun = performance.now();
    expect((await one.switchBackend(id, 'disable', { seconds: 0.8 })).status).toBe(200);
    await Promise.all(stage.members.map((member) => member.seen(id, 'disabled')));
    const ends = await Promise.all(
      stage.members.map(async (member) => {
        await soon(async () => (await member.backend(id)).state).not.toBe('disabled');
        return performance.now() - begun - 800;
      }),
    );
    report('the end of a disable of 0.8 s, ms late', { most: Math.max(...ends) });
    expect(Math.min(...ends)).toBeGreaterThan(-20);
    expect(Math.max(...ends)).toBeLessThan(500);
  });

  test('a new process knows every disable before it is ready', async () => {
    const [one, two, three] = rotated(0);
    const wanted = Array.from({ length: 40 }, () => stage.spare());
    for (const [index, { id, path: pin }] of wanted.entries()) {
      const member = [one, two, three][index % 3] as Member;
      if (index % 2 === 0) await member.switchBackend(id, 'disable');
      else await askOnce(member, pin);
    }
    await askOnce(two, path);

    const adminPort = await freePort();
    const starting = stage.begin(['--admin', `127.0.0.1:${adminPort}`]);
    const known = await stateWhenReady(`http://127.0.0.1:${adminPort}`);
    const before = stage.flaky.requests.length;
    await using late = await starting;
    expect(wanted.filter(({ id }) => known.get(id) !== 'disabled')).toEqual([]);
    expect(known.get(flaky)).toBe('disabled');
    expect((await askOnce(late, path)).headers['x-sluice-attempts']).toBe('1');
    expect(stage.flaky.requests.length).toBe(before);
  });
});

/** The state of every backend at the very moment in which a gateway that is starting says that it is ready. */
async function stateWhenReady(adminURL: string): Promise<ReadonlyMap<string, string>> {
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${adminURL}/readyz`).catch(() => undefined);
    return answer?.status === 200;
  };
  await eventually(isReady, 30_000);
  const { backends } = (await (await fetch(`${adminURL}/state`)).json()) as {
    readonly backends: readonly { readonly id: string; readonly state: string }[];
  };
  return new Map(backends.map(({ id, state }) => [id, state]));
}
