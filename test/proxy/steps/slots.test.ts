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

interface Waiting {
  readonly trail: Trail;
  readonly leave: () => void;
  backends: string[];
  got: string | undefined;
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
  /** Waits for one of these, and says what it got. */
  const wait = (...backends: readonly string[]): Waiting => {
    const leave = new AbortController();
    const waiting: Waiting = { trail: trail(), got: 'waits', leave: () => leave.abort(), backends: [...backends] };
    const wish = { trail: waiting.trail, backends: () => waiting.backends, waitMs: 60_000, signal: leave.signal };
    void slots.acquire(wish).then((got) => (waiting.got = got));
    return waiting;
  };
  return { clock, slots, acquire, wait, asked: () => asked };
}

/** Lets everything that is due happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('slots', () => {
  it('are had in their order, once each, and by the next as soon as they are given back', async () => {
    const { slots, acquire } = rig();
    const [one, two, three] = [trail(), trail(), trail()];
    expect([await acquire(one), await acquire(two)]).toEqual(['a', 'b']);
    expect([slots.holds(one, 'a'), slots.holds(two, 'b'), slots.holds(two, 'a')]).toEqual([true, true, false]);
    const waiting = acquire(three);
    await settle();
    slots.observer.requestEnded?.(one);
    // No clock was turned: who waits in the same proxy hears of it.
    expect(await waiting).toBe('a');
    expect(slots.holds(three, 'a')).toBe(true);
  });

  it('are asked for less and less often, and no longer than the wait', async () => {
    const { clock, acquire, asked } = rig();
    await acquire(trail());
    await acquire(trail());
    const before = asked();
    let end: unknown = 'waits';
    void acquire(trail(), 30_000).then((got) => (end = got));
    for (let passed = 0; passed < 29_900; passed += 50) {
      clock.turn(50);
      await settle();
    }
    expect(end).toBe('waits');
    // Ten questions while the pauses grow, then one a second.
    expect(asked() - before).toBeGreaterThan(25);
    expect(asked() - before).toBeLessThan(45);
    clock.turn(200);
    await settle();
    expect(end).toBeUndefined();
  });

  it('are kept by renewing them, however long a request lasts', async () => {
    const { clock, acquire } = rig();
    await acquire(trail(), 0, undefined, ['a']);
    for (let passed = 0; passed < 120_000; passed += 1_000) {
      clock.turn(1_000);
      await settle();
    }
    expect(await acquire(trail(), 0, undefined, ['a'])).toBeUndefined();
  });

  it('are waited for by no request whose client has left', async () => {
    const { acquire } = rig();
    await acquire(trail());
    await acquire(trail());
    const leave = new AbortController();
    const waiting = acquire(trail(), 60_000, leave.signal);
    await settle();
    leave.abort();
    expect(await waiting).toBeUndefined();
  });

  it('are waited for by a bounded number of requests: the others are refused at once', async () => {
    const { acquire } = rig();
    await acquire(trail());
    await acquire(trail());
    const leave = new AbortController();
    const waiting = Array.from({ length: 1_024 }, () => acquire(trail(), 60_000, leave.signal));
    await settle();
    expect(await acquire(trail())).toBeUndefined();
    leave.abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]));
  });

  it('that become free are told to those who want them, one to each, whoever has waited longest first', async () => {
    const { clock, slots, wait, asked } = rig();
    const [x, y] = [wait('x'), wait('y')];
    await settle();
    const others = [wait('y'), wait('x', 'y'), wait('x'), wait('y'), wait('x')];
    await settle();
    // Their pauses are over and begun again, at different times: that is not the order in which they came.
    clock.turn(60);
    await settle();
    const before = asked();
    slots.release(x.trail);
    slots.release(y.trail);
    await settle();
    expect(asked() - before).toBe(2);
    expect([x, y, ...others].map(({ got }) => got)).toEqual(['x', 'y', 'y', 'x', 'waits', 'waits', 'waits']);
  });

  it('that a woken request does not take are told to the next', async () => {
    const { slots, wait } = rig();
    const [x, y] = [wait('x'), wait('y')];
    await settle();
    const [either, leaving, changed, last] = [wait('y', 'x'), wait('x'), wait('x'), wait('x')];
    await settle();
    // The first is woken for one, and finds the other free, too.
    slots.release(x.trail);
    slots.release(y.trail);
    leaving.leave();
    changed.backends = ['z'];
    await settle();
    expect([either, leaving, last].map(({ got }) => got)).toEqual(['y', undefined, 'x']);
    expect(changed.got).toBe('z');
  });

  it('that somebody else takes first leave a woken request waiting as before', async () => {
    const { clock, slots, wait, asked } = rig();
    const x = wait('x');
    await settle();
    const woken = wait('x');
    await settle();
    slots.release(x.trail);
    const newcomer = wait('x');
    await settle();
    expect([newcomer.got, woken.got, asked()]).toEqual(['x', 'waits', 4]);
    clock.turn(500);
    await settle();
    expect([woken.got, asked()]).toEqual(['waits', 5]);
  });

  it('are not missed by who is just asking', async () => {
    const { slots, wait } = rig();
    const x = wait('x');
    await settle();
    const next = wait('x');
    // Refused, but it does not know that yet.
    slots.release(x.trail);
    await settle();
    expect(next.got).toBe('x');
  });
});
