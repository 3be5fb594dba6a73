// What leases promise, whatever keeps them: one suite, run against memory and against a real Redis.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { keepRenewed, type Lease, type Leases } from '../../proxy/state/lease.ts';
import type { StateStore } from '../../proxy/state/store.ts';
import { systemClock } from '../../proxy/system-clock.ts';
import { type Fleet, useFleet } from './joined-fleet.ts';
import { soon } from './soon.ts';

const minute = 60_000;
/** Short enough to wait for, long enough for a busy machine. */
const shortMs = 600;

/** Declares the suite for the leases of one kind of store. */
export function describeLeases(name: string, open: () => Promise<Fleet>): void {
  describe(name, () => {
    const fleet = useFleet(open);
    const join = async (): Promise<StateStore> => (await fleet.join()).store;

    async function take(leases: Leases, slot: string, ttlMs = minute): Promise<Lease> {
      const lease = await leases.lease(slot, ttlMs);
      if (lease === undefined) throw new Error(`${slot} was not to be had`);
      return lease;
    }

    const nth = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;

    test('of many who ask at once, over all proxies, exactly one gets it', async () => {
      const all = [await join(), await join(), await join()];
      for (let round = 0; round < 20; round += 1) {
        const asked = Array.from({ length: 60 }, (_, n) => nth(all, n).lease(`slot-${round}`, minute));
        const got = (await Promise.all(asked)).filter((lease) => lease !== undefined);
        expect(got.map((lease) => ({ name: lease.name, scope: lease.scope, held: lease.isHeld() }))).toEqual([
          { name: `slot-${round}`, scope: 'fleet', held: true },
        ]);
      }
    });

    test('what is released is to be had at once, by anybody, and not by two', async () => {
      const [one, two] = [await join(), await join()];
      const first = await take(one, 'slot');
      expect(await two.lease('slot', minute)).toBeUndefined();
      expect(await one.lease('slot', minute)).toBeUndefined();
      first.release();
      expect(first.isHeld()).toBe(false);
      let second: Lease | undefined;
      await soon(async () => (second ??= await two.lease('slot', minute)) !== undefined).toBe(true);
      // The first holder has nothing to say any more.
      first.release();
      expect(await first.renew()).toBe(false);
      expect(second?.isHeld()).toBe(true);
      expect(await one.lease('slot', minute)).toBeUndefined();
    });

    test('it ends by itself when its holder has gone silent', async () => {
      const [one, two] = [await join(), await join()];
      const lease = await take(one, 'slot', shortMs);
      expect(await two.lease('slot', minute)).toBeUndefined();
      await soon(() => lease.isHeld()).toBe(false);
      expect(await lease.renew()).toBe(false);
      await soon(async () => (await two.lease('slot', minute)) !== undefined).toBe(true);
    });

    test('it is kept by renewing it, and its time starts anew each time', async () => {
      const [one, two] = [await join(), await join()];
      const lease = await take(one, 'slot', shortMs);
      let lost = 0;
      const kept = keepRenewed(systemClock, lease, shortMs, () => void (lost += 1));
      const begun = performance.now();
      while (performance.now() - begun < 4 * shortMs && lost === 0) {
        const stolen = await two.lease('slot', minute);
        // A machine that stands still for longer than the lease lasts loses it, and rightly.
        if (stolen !== undefined) expect(lease.isHeld()).toBe(false);
        await delay(20);
      }
      kept.cancel();
      if (lost === 0) expect(lease.isHeld()).toBe(true);
      await soon(() => lease.isHeld()).toBe(false);
      expect(lost).toBeLessThan(2);
    });

    test('who keeps renewing what was taken away is told so, once', async () => {
      const [one] = [await join()];
      const lease = await take(one, 'slot', shortMs);
      let lost = 0;
      const kept = keepRenewed(systemClock, lease, shortMs, () => void (lost += 1));
      lease.release();
      await soon(() => lost).toBe(1);
      await delay(shortMs);
      expect(lost).toBe(1);
      kept.cancel();
    });

    test('slots are apart: each has its own holder', async () => {
      const [one, two] = [await join(), await join()];
      const slots = ['a', 'b', 'a:b', '{a}', 'backend:team-a/chat/gpt4#m:8b', 'ключ 🗝️ "\'\\', ' \n'];
      for (const slot of slots) await take(one, slot);
      for (const slot of slots) expect(await two.lease(slot, minute)).toBeUndefined();
      await take(two, 'c');
    });

    test('the first free one of several is found in one go, each by one holder only', async () => {
      const all = [await join(), await join(), await join()];
      const slots = ['s0', 's1', 's2', 's3', 's4'];
      await take(nth(all, 0), 's0');
      const asked = Array.from({ length: 12 }, (_, n) => nth(all, n).leaseFirst(slots, minute));
      const got = (await Promise.all(asked)).filter((lease) => lease !== undefined);
      expect(got.map((lease) => lease.name).toSorted()).toEqual(['s1', 's2', 's3', 's4']);
      expect(await nth(all, 1).leaseFirst(slots, minute)).toBeUndefined();
      expect(await nth(all, 1).leaseFirst([], minute)).toBeUndefined();
      got.find((lease) => lease.name === 's3')?.release();
      await soon(async () => (await nth(all, 2).leaseFirst(slots, minute))?.name).toBe('s3');
    });

    test('a proxy that closes gives up what it holds, and gets nothing more', async () => {
      const [one, two] = [await join(), await join()];
      const leases = [await take(one, 'a'), await take(one, 'b')];
      await take(two, 'c');
      await one.close();
      expect(leases.map((lease) => lease.isHeld())).toEqual([false, false]);
      expect(await one.lease('d', minute)).toBeUndefined();
      await take(two, 'a');
      await take(two, 'b');
      await take(two, 'd');
    });
  });
}
