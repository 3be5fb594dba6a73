// A reflector and an API server that is frozen, killed, or forgets: afterwards it holds what there is. Frozen for 20 s with
// `CHAOS_SCALE=1`.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized, timeoutMs } from '../../chaos/scale.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { type ApiServerFront, openFront } from '../../support/api-server-front.ts';
import { requiresControlPlanePrograms } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { followSynced, remove, write } from './followed.ts';

const frozenSeconds = sized({ usual: 3, full: 20 });

requiresControlPlanePrograms().describe('a reflector, of an API server in trouble,', () => {
  let plane: ControlPlane;
  let cached: ControlPlane;
  let front: ApiServerFront;
  let home: string;

  beforeAll(async () => {
    // Without a watch cache every watch is one of etcd, which can be made to forget.
    [plane, cached] = await Promise.all([startControlPlane({ watchCache: false }), startControlPlane()]);
    front = await openFront(plane);
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    await Promise.all([plane.stop(), cached.stop()]);
  });

  test('lists again what etcd has forgotten in the meantime', async () => {
    home = await plane.newNamespace();
    for (const name of ['changed', 'kept', 'gone']) await write(plane, home, name, 1);
    await using followed = await followSynced(front.kubeconfig(plane.adminKubeconfig), home);
    await eventually(() => front.watches === 1);
    front.intercept = ({ isWatch }) => (isWatch ? { status: 503 } : undefined);
    front.cut();
    await write(plane, home, 'changed', 2);
    await write(plane, home, 'new', 1);
    await remove(plane, home, 'gone');
    await plane.compactEtcd();
    front.intercept = () => undefined;
    await eventually(() => front.passed.filter(({ isWatch }) => !isWatch).length === 2);
    await eventually(() => front.watches === 1);
    await write(plane, home, 'kept', 2);
    await eventually(() => followed.values()['kept'] === '2');
    expect(followed.values()).toEqual({ changed: '2', kept: '2', new: '1' });
    expect(followed.told.slice(3).toSorted()).toEqual(['changed=2', 'gone gone', 'kept=2', 'new=1']);
  });

  test('goes on when it thaws', { timeout: timeoutMs(60) }, async () => {
    home = await plane.newNamespace();
    await write(plane, home, 'x', 1);
    await using followed = await followSynced(plane.adminKubeconfig, home);
    plane.pauseApiServer();
    const pending = write(plane, home, 'x', 2);
    await delay(frozenSeconds * 1000);
    expect(followed.values()).toEqual({ x: '1' });
    plane.resumeApiServer();
    await pending;
    await write(plane, home, 'x', 3);
    await eventually(() => followed.told.length === 3);
    expect(followed.told).toEqual(['x=1', 'x=2', 'x=3']);
    // It may have lost its own connection to etcd, and ended the watch for it.
    expect(['listing and watching again', undefined]).toContain(followed.said.at(-1));
  });

  async function crash(it: ControlPlane): Promise<void> {
    const place = await it.newNamespace();
    for (const name of ['x', 'y']) await write(it, place, name, 1);
    await using followed = await followSynced(it.adminKubeconfig, place, { random: Math.random });
    await write(it, place, 'x', 2);
    await it.killApiServer();
    await it.restartApiServer();
    await write(it, place, 'x', 3);
    await remove(it, place, 'y');
    await eventually(() => followed.values()['x'] === '3' && followed.values()['y'] === undefined, 15_000);
    // What was written before the crash may have come before it, or be part of what came after.
    expect(followed.told.filter((change) => change !== 'x=2')).toEqual(['x=1', 'y=1', 'x=3', 'y gone']);
    await eventually(() => followed.said.at(-1) === 'listing and watching again');
    expect(followed.said.filter((line) => line === 'listing and watching again')).toHaveLength(1);
    expect(followed.said.length).toBeLessThan(5);
  }

  test.concurrent.each(['from etcd itself', 'from a watch cache'])(
    'finds everything as it is after a crash, %s',
    async (from) => {
      await crash(from === 'from etcd itself' ? plane : cached);
    },
  );
});
