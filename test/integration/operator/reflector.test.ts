// A reflector and the connection between it and a real API server: nothing that changes is missed, and nothing told twice,
// whatever becomes of the connection.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiServerFront, openFront } from '../../support/api-server-front.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { followSynced, follow, remove, write } from './followed.ts';

const plane = await requiresControlPlane();

plane.describe('a reflector', () => {
  const { shared } = plane;
  const fronts: ApiServerFront[] = [];
  // Made before the tests, which run side by side.
  let homes: string[];

  beforeAll(async () => {
    homes = await Promise.all(Array.from({ length: 7 }, () => shared.newNamespace()));
  });
  afterAll(async () => {
    for (const front of fronts) await front[Symbol.asyncDispose]();
  });

  /** A way to the API server of its own, and a namespace. */
  async function stage(): Promise<{ front: ApiServerFront; kubeconfig: string; home: string }> {
    const front = await openFront(shared);
    fronts.push(front);
    return { front, kubeconfig: front.kubeconfig(shared.adminKubeconfig), home: homes.pop()! };
  }

  /** Writes 1, 2, 3 … to `x`, calling `between` after each. */
  async function count(home: string, to: number, between: (value: number) => Promise<void> | void): Promise<string[]> {
    for (let value = 1; value <= to; value += 1) {
      await write(shared, home, 'x', value);
      await between(value);
    }
    return Array.from({ length: to }, (_, index) => `x=${index + 1}`);
  }

  test.concurrent('reads what takes several pages, each object once', async () => {
    const { front, kubeconfig, home } = await stage();
    const names = Array.from({ length: 1001 }, (_, index) => `object-${index}`);
    const rest = [...names];
    const create = async (): Promise<void> => {
      for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
        await shared.request('POST', `/api/v1/namespaces/${home}/configmaps`, {
          metadata: { name },
          data: { value: '1' },
        });
      }
    };
    await Promise.all(Array.from({ length: 16 }, create));
    await using followed = await followSynced(kubeconfig, home);
    expect(Object.keys(followed.values()).toSorted()).toEqual(names.toSorted());
    expect(followed.told).toHaveLength(1001);
    const lists = front.passed.filter(({ isWatch }) => !isWatch);
    expect(lists.map(({ url }) => [url.includes('limit=500'), url.includes('continue=')])).toEqual([
      [true, false],
      [true, true],
      [true, true],
    ]);
  });

  test.concurrent('misses nothing, and hears nothing twice, when its watch is reset again and again', async () => {
    const { front, kubeconfig, home } = await stage();
    await using followed = await followSynced(kubeconfig, home);
    const written = await count(home, 150, async (value) => {
      if (value % 10 !== 0) return;
      front.cut();
      // Some changes fall into the time without a watch, some do not.
      if (value % 20 === 0) await eventually(() => front.watches === 1);
    });
    await eventually(() => followed.told.length >= written.length);
    expect(followed.told).toEqual(written);
    expect(front.passed.filter(({ isWatch }) => !isWatch)).toHaveLength(1);
    expect(front.passed.length).toBeGreaterThan(8);
  });

  test.concurrent('misses nothing when its watch ends in good order', async () => {
    const { front, kubeconfig, home } = await stage();
    await using followed = await followSynced(kubeconfig, home);
    const written = await count(home, 60, async (value) => {
      if (value % 20 !== 0) return;
      await eventually(() => front.watches === 1);
      // An end within a second would be a fault.
      await delay(1100);
      front.endWatches();
    });
    await eventually(() => followed.told.length >= written.length);
    expect(followed.told).toEqual(written);
    expect(followed.said).toEqual([]);
    await remove(shared, home, 'x');
    await eventually(() => followed.told.at(-1) === 'x gone');
  });

  test.concurrent('waits for as long as a busy API server asks', async () => {
    const { front, kubeconfig, home } = await stage();
    await write(shared, home, 'x', 1);
    const busy = new Set(['list', 'watch']);
    front.intercept = ({ isWatch }) =>
      busy.delete(isWatch ? 'watch' : 'list') ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    await using followed = await followSynced(kubeconfig, home);
    await eventually(() => front.watches === 1, 5000);
    const [list, listAgain, watch, watchAgain, ...more] = front.passed;
    expect(more).toEqual([]);
    for (const [first, second] of [
      [list, listAgain],
      [watch, watchAgain],
    ]) {
      const waitedMs = second!.atMs - first!.atMs;
      expect(waitedMs).toBeGreaterThan(990);
      expect(waitedMs).toBeLessThan(2000);
    }
    expect(followed.told).toEqual(['x=1']);
  });

  test.concurrent('notices a connection that is only half there', async () => {
    const { front, kubeconfig, home } = await stage();
    // Longer than an idle connection is kept: a list must not go over one that is half there too.
    await using followed = await followSynced(kubeconfig, home, { silenceMs: 4500 });
    await write(shared, home, 'x', 1);
    await eventually(() => followed.told.length === 1);
    front.freeze();
    await write(shared, home, 'x', 2);
    await write(shared, home, 'y', 1);
    await remove(shared, home, 'x');
    front.heal();
    await eventually(() => followed.told.length === 3, 8000);
    expect(followed.told).toEqual(['x=1', 'y=1', 'x gone']);
    expect(followed.values()).toEqual({ y: '1' });
  });

  test.concurrent('begins when an API server is there, and says once that there is none', async () => {
    const { front, kubeconfig, home } = await stage();
    await write(shared, home, 'x', 1);
    front.intercept = () => ({ status: 503 });
    await using followed = follow(kubeconfig, home, { random: () => 0.05 });
    await eventually(() => front.passed.length > 3);
    expect([followed.synced, followed.values(), followed.said]).toEqual([
      false,
      {},
      ['cannot list or watch; trying again'],
    ]);
    front.intercept = () => undefined;
    await eventually(() => followed.told.length === 1);
    await eventually(() => followed.said.length === 2);
    expect(followed.said.at(-1)).toBe('listing and watching again');
  });

  test.concurrent('leaves nothing behind when it ends', async () => {
    const { front, kubeconfig, home } = await stage();
    const followed = await followSynced(kubeconfig, home);
    await eventually(() => front.watches === 1);
    await followed[Symbol.asyncDispose]();
    await eventually(() => front.watches === 0);
  });
});
