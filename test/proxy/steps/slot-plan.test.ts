// Which slots a request gets, and how long it keeps them.

import { beforeEach, describe, expect, it } from 'vitest';
import { openTrail } from '../../../proxy/accounting/account.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import { createPlan } from '../../../proxy/routing/plan.ts';
import { createLeaseTable } from '../../../proxy/state/lease-table.ts';
import { createMemoryLeases } from '../../../proxy/state/memory-leases.ts';
import { SlotPlan } from '../../../proxy/steps/slot-plan.ts';
import { Slots } from '../../../proxy/steps/slots.ts';
import { createWait } from '../../../proxy/system-clock.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { backend, failover, route, rule } from '../../support/config.ts';
import { plainContext, Present, routesOf, ruleIn, shortId } from '../routing/plan-rig.ts';

const gpus = route('gpus', [rule([backend('g1'), backend('g2')], { strategy: 'FirstAvailable' })]);
const toGpus = (differs = {}) => backend('gpus', { route: 'default/gpus', ...differs });

let clock: TestClock;
let slots: Slots;
let present: Present;
/** What was asked for of the store. */
let asked: string[];

beforeEach(() => {
  clock = new TestClock();
  present = new Present();
  asked = [];
  const leases = createMemoryLeases({ clock, table: createLeaseTable({ clock }), holder: 'p' });
  slots = new Slots({
    clock,
    random: () => 1,
    wait: createWait(clock),
    leases: {
      leaseFirst(names, ttlMs) {
        asked.push(names.map((name) => name.slice(name.lastIndexOf('/') + 1)).join(' '));
        return leases.leaseFirst(names, ttlMs);
      },
    },
  });
});

/** What one request has of a configuration's route `chat`. */
function open(snapshot: Snapshot, mayOverride = true) {
  const trail = openTrail({ id: 'r', method: 'POST', path: '/', receivedAtMs: 0, headers: {} });
  const { signal } = new AbortController();
  const deadlineAtMs = clock.now() + 600_000;
  const plan = new SlotPlan(createPlan(ruleIn(snapshot, 'chat'), plainContext, present), {
    slots,
    clock,
    trail,
    signal,
    deadlineAtMs,
    isSentTo: () => true,
    mayOverride,
  });
  const next = (): string | undefined => {
    const visit = plan.next(undefined);
    return visit && shortId(visit.backend);
  };
  const held = (): string[] => ['g1', 'g2'].filter((name) => slots.holds(trail, `default/gpus/${name}`));
  return { plan, next, held, end: () => slots.release(trail) };
}

describe('a request', () => {
  it('asks for no slot while somebody comes first who needs none', async () => {
    const snapshot = routesOf(route('chat', [rule([backend('cloud'), toGpus({ priority: 1 })])]), gpus);
    const { plan, next, held } = open(snapshot);
    expect([plan.free(undefined), next(), asked]).toEqual([true, 'chat/cloud', []]);
    expect(await plan.free(undefined)).toBe(true);
    expect([next(), held(), asked]).toEqual(['gpus/g1', ['g1'], ['g1 g2']]);
  });

  it('asks for those only that come before such a one, and waits for none of them', async () => {
    const more = backend('more', { route: 'default/more', priority: 2 });
    const snapshot = routesOf(
      route('chat', [rule([toGpus(), backend('cloud', { priority: 1 }), more])]),
      gpus,
      route('more', [rule([backend('g3')], { strategy: 'FirstAvailable' })]),
    );
    for (const _ of ['g1', 'g2']) await open(snapshot).plan.free(undefined);
    const { plan, next } = open(snapshot);
    expect([await plan.free(undefined), next(), plan.busy]).toEqual([true, 'chat/cloud', false]);
    expect(asked).toEqual(['g1 g2', 'g1 g2', 'g1 g2']);
    expect(await plan.free(undefined)).toBe(true);
    expect([next(), asked.at(-1)]).toEqual(['more/g3', 'g1 g2 g3']);
  });

  it('asks for those first that the rule prefers, and for spares last', async () => {
    const snapshot = routesOf(
      route(
        'chat',
        [toGpus()].map((each) => rule([each])),
      ),
      route('gpus', [
        rule([backend('g1', { weight: 0 }), backend('g2'), backend('g3')], {
          strategy: 'FirstAvailable',
          prefer: [{ maxFirstContentMillis: 500 }],
        }),
      ]),
    );
    present.usualMs.set('gpus/g2', 900).set('gpus/g3', 100);
    await open(snapshot).plan.free(undefined);
    expect(asked).toEqual(['g3 g2 g1']);
  });

  it('gives a slot back at once where the strategy chooses somebody else', async () => {
    const snapshot = routesOf(route('chat', [rule([backend('cloud'), toGpus()])]), gpus);
    const { plan, next, held } = open(snapshot);
    expect(await plan.free(undefined)).toBe(true);
    expect([next(), held()]).toEqual(['chat/cloud', []]);
    present.choose = (count) => count - 1;
    const other = open(snapshot);
    expect(await other.plan.free(undefined)).toBe(true);
    expect([other.next(), other.held()]).toEqual(['gpus/g1', ['g1']]);
  });

  it('gives a slot back of a backend that is not visited after all', async () => {
    const snapshot = routesOf(route('chat', [rule([toGpus(), backend('cloud', { priority: 1 })])]), gpus);
    const { plan, next, held } = open(snapshot);
    await plan.free(undefined);
    // The first cannot be told what the request wants.
    expect([next(), held()]).toEqual(['gpus/g1', ['g1']]);
    expect([next(), held()]).toEqual(['chat/cloud', []]);
  });

  it('keeps it while another backend joins the slow one, until that one answers', async () => {
    const snapshot = routesOf(route('chat', [rule([toGpus(), backend('cloud', { priority: 1 })])]), gpus);
    const { plan, held } = open(snapshot);
    await plan.free(undefined);
    const slow = plan.next(undefined);
    if (slow === undefined) throw new Error('nobody is free');
    plan.visited();
    const joining = plan.next(undefined);
    if (joining === undefined) throw new Error('nobody joins');
    expect([shortId(joining.backend), held()]).toEqual(['chat/cloud', ['g1']]);
    plan.served(slow);
    expect(held()).toEqual(['g1']);
    plan.served(joining);
    expect(held()).toEqual([]);
  });

  it('gives it back before it looks for the next one', async () => {
    const snapshot = routesOf(route('chat', [rule([toGpus()])]), gpus);
    const { plan, next, held } = open(snapshot);
    await plan.free(undefined);
    next();
    const waiting = open(snapshot);
    await waiting.plan.free(undefined);
    expect([held(), waiting.held()]).toEqual([['g1'], ['g2']]);
    const last = open(snapshot);
    const lasts = last.plan.free(undefined);
    await settled();
    void plan.free(undefined);
    expect(await lasts).toBe(true);
    expect([last.held(), last.next()]).toEqual([['g1'], 'gpus/g1']);
  });

  it('needs slots in a route that it falls back to, too', async () => {
    const fallbacks = [{ class: 'ContextLength' as const, route: 'default/gpus' }];
    const snapshot = routesOf(route('chat', [rule([backend('cloud')], { failover: failover({ fallbacks }) })]), gpus);
    const { plan, next, held } = open(snapshot);
    expect([plan.free(undefined), next()]).toEqual([true, 'chat/cloud']);
    expect([plan.fallBack('ContextLength'), next()]).toEqual([true, undefined]);
    expect(await plan.free(undefined)).toBe(true);
    expect([next(), held()]).toEqual(['gpus/g1', ['g1']]);
    expect(ruleIn(snapshot, 'chat').usesSlots()).toBe(true);
  });

  it('waits no longer than the rule says, however often it has to', async () => {
    const snapshot = routesOf(route('chat', [rule([toGpus()])]), gpus);
    const [first, second] = [open(snapshot), open(snapshot)];
    for (const { plan } of [first, second]) await plan.free(undefined);
    const { plan, next } = open(snapshot);
    const waited = async (seconds: number): Promise<boolean | undefined> => {
      const ends: boolean[] = [];
      void Promise.resolve(plan.free(undefined)).then((got) => ends.push(got));
      for (let passed = 0; passed < seconds; passed += 1) {
        clock.turn(1_000);
        await settled();
      }
      return ends[0];
    };
    expect(await waited(40)).toBeUndefined();
    second.end();
    await settled();
    expect(next()).toBe('gpus/g2');
    expect([await waited(21), plan.busy]).toEqual([false, true]);
  });
});

describe('disabled backends that are tried for want of others', () => {
  const snapshot = routesOf(route('chat', [rule([toGpus()])]), gpus);
  const nextDisabled = ({ plan }: ReturnType<typeof open>): string | undefined => {
    const visit = plan.nextDisabled(undefined);
    return visit && shortId(visit.backend);
  };

  it('are waited for like others, in the order of their return, and may be enabled by then', async () => {
    present.until.set('gpus/g1', 900).set('gpus/g2', 500);
    const [first, second, third] = [open(snapshot), open(snapshot), open(snapshot)];
    expect([await first.plan.free(undefined), first.next(), nextDisabled(first)]).toEqual([
      false,
      undefined,
      'gpus/g2',
    ]);
    expect([await second.plan.free(undefined), second.next(), nextDisabled(second)]).toEqual([
      false,
      undefined,
      'gpus/g1',
    ]);
    const waiting = third.plan.free(undefined);
    await settled();
    present.until.clear();
    first.end();
    await waiting;
    expect([third.next(), third.held(), third.plan.busy]).toEqual(['gpus/g2', ['g2'], false]);
  });

  it('come after those that were waited for in vain', async () => {
    present.until.set('gpus/g2', 500);
    await open(snapshot).plan.free(undefined);
    const late = open(snapshot);
    let end: boolean | undefined;
    void Promise.resolve(late.plan.free(undefined)).then((got) => (end = got));
    for (let passed = 0; passed <= 60; passed += 1) {
      clock.turn(1_000);
      await settled();
    }
    expect([end, late.plan.busy, late.next(), nextDisabled(late), late.held()]).toEqual([
      false,
      true,
      undefined,
      'gpus/g2',
      ['g2'],
    ]);
  });

  it('are asked for by nobody whose rule tries none', () => {
    present.until.set('gpus/g1', 900).set('gpus/g2', 500);
    expect([open(snapshot, false).plan.free(undefined), asked]).toEqual([false, []]);
  });
});
