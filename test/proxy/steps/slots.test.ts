import { describe, expect, it } from 'vitest';
import { openTrail } from '../../../proxy/accounting/account.ts';
import type { Trail } from '../../../proxy/accounting/trail.ts';
import { createLeaseTable } from '../../../proxy/state/lease-table.ts';
import { createMemoryLeases } from '../../../proxy/state/memory-leases.ts';
import { Slots } from '../../../proxy/steps/slots.ts';
import { createWait } from '../../../proxy/system-clock.ts';
import { TestClock } from '../../support/clock.ts';

/** A request that nothing is known of. */
function trail(): Trail {
  return openTrail({ id: 'r', method: 'POST', path: '/', receivedAtMs: 0, headers: {} });
}

function rig() {
  const clock = new TestClock();
  const leases = createMemoryLeases({ clock, table: createLeaseTable({ clock }), holder: 'p' });
  let asked = 0;
  const slots = new Slots({
    clock,
    random: () => 1,
    wait: createWait(clock),
    leases: {
      leaseFirst(names, ttlMs) {
        asked += 1;
        return leases.leaseFirst(names, ttlMs);
      },
    },
  });
  const acquire = (of: Trail, waitMs = 60_000, signal = new AbortController().signal, backends = ['a', 'b']) =>
    slots.acquire({ trail: of, backends: () => backends, waitMs, signal });
  return { clock, slots, acquire, asked: () => asked };
}

/** Lets everything that is due happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('slots', () => {
  it('are had in their order, once each, and by the next as soon as they are given back', async () => {
    const { slots, acquire } = rig();
    const [one, two, three] = [trail(), trail(), trail()];
    expect(await acquire(one)).toBe(true);
    expect(await acquire(two)).toBe(true);
    expect([slots.holds(one, 'a'), slots.holds(two, 'b'), slots.holds(two, 'a')]).toEqual([true, true, false]);
    const waiting = acquire(three);
    await settle();
    slots.observer.requestEnded?.(one);
    // No clock was turned: who waits in the same proxy hears of it.
    expect(await waiting).toBe(true);
    expect(slots.holds(three, 'a')).toBe(true);
  });

  it('are asked for less and less often, and no longer than the wait', async () => {
    const { clock, acquire, asked } = rig();
    await acquire(trail());
    await acquire(trail());
    const before = asked();
    let end: boolean | undefined;
    void acquire(trail(), 30_000).then((got) => (end = got));
    for (let passed = 0; passed < 29_900; passed += 50) {
      clock.turn(50);
      await settle();
    }
    expect(end).toBeUndefined();
    // Ten questions while the pauses grow, then one a second.
    expect(asked() - before).toBeGreaterThan(25);
    expect(asked() - before).toBeLessThan(45);
    clock.turn(200);
    await settle();
    expect(end).toBe(false);
  });

  it('are kept by renewing them, however long a request lasts', async () => {
    const { clock, acquire } = rig();
    await acquire(trail(), 0, undefined, ['a']);
    for (let passed = 0; passed < 120_000; passed += 1_000) {
      clock.turn(1_000);
      await settle();
    }
    expect(await acquire(trail(), 0, undefined, ['a'])).toBe(false);
  });

  it('are waited for by no request whose client has left', async () => {
    const { acquire } = rig();
    await acquire(trail());
    await acquire(trail());
    const leave = new AbortController();
    const waiting = acquire(trail(), 60_000, leave.signal);
    await settle();
    leave.abort();
    expect(await waiting).toBe(false);
  });

  it('are waited for by a bounded number of requests: the others are refused at once', async () => {
    const { acquire } = rig();
    await acquire(trail());
    await acquire(trail());
    const leave = new AbortController();
    const waiting = Array.from({ length: 1_024 }, () => acquire(trail(), 60_000, leave.signal));
    await settle();
    expect(await acquire(trail())).toBe(false);
    leave.abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([false]));
  });
});
