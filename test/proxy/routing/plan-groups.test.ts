// In which order a plan comes to its backends, and which of them serve one request at a time.

import { describe, expect, it } from 'vitest';
import type { Backend, Snapshot } from '../../../proxy/config/snapshot.ts';
import { createPlan, type Plan } from '../../../proxy/routing/plan.ts';
import { seededRandom } from '../balancing/seeded-random.ts';
import { backend, failover, route, rule } from '../../support/config.ts';
import { plainContext, Present, routesOf, ruleIn } from './plan-rig.ts';

function planOf(snapshot: Snapshot, present = new Present(), name = 'chat'): Plan {
  return createPlan(ruleIn(snapshot, name), plainContext, present);
}

const reference = (name: string, differs = {}) => backend(name, { route: `default/${name}`, ...differs });

describe('backends that serve one request at a time', () => {
  it('are those of rules that say so, and all behind their references', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), reference('more')])]),
      route('more', [rule([backend('x'), reference('inner')], { strategy: 'FirstAvailable' })]),
      route('inner', [rule([backend('y')], { strategy: 'FirstAvailable', firstAvailable: { waitSeconds: 5 } })]),
    );
    const exclusives = planOf(snapshot).exclusives();
    expect([...exclusives.backends]).toEqual(['default/more/x', 'default/inner/y']);
    expect(exclusives.waitMs).toBe(60_000);
    expect(planOf(snapshot, new Present(), 'inner').exclusives().waitMs).toBe(5_000);
    expect(planOf(routesOf(route('chat', [rule([backend('a')])]))).exclusives().backends.size).toBe(0);
  });
});

/** A route of up to three rungs of backends and other routes, where some are spares; and what may come after it. */
function anyRoute(name: string, others: readonly string[], chance: () => number) {
  const pick = (count: number): number => Math.floor(chance() * count);
  const member = (index: number) => {
    const differs = { priority: pick(3), weight: pick(4) === 0 ? 0 : 1 };
    const other = others[pick(others.length * 2)];
    return other === undefined
      ? backend(`${name}${index}`, differs)
      : { ...reference(other, differs), name: `${other}${index}` };
  };
  const fallbackRoute = others[pick(others.length * 3)];
  const members = Array.from({ length: 1 + pick(4) }, (_, index) => member(index));
  const [prefer, settings] = [
    chance() < 0.3 ? [{ maxFirstContentMillis: 500 }] : [],
    fallbackRoute && { fallbackRoute: `default/${fallbackRoute}` },
  ];
  return route(name, [rule(members, { prefer, failover: failover(settings || {}) })]);
}

it.each([0, 0.3])('every plan gives those of its groups, until there are none (%d of them on trial)', (trials) => {
  const chance = seededRandom(7);
  let visits = 0;
  for (let round = 0; round < 300; round += 1) {
    const names = ['z', 'y', 'x'];
    const snapshot = routesOf(
      ...names.map((name, index) => anyRoute(name, names.slice(0, index), chance)),
      anyRoute('chat', names, chance),
    );
    const present = new Present();
    present.choose = (count) => Math.floor(chance() * count);
    for (const { id } of snapshot.backends.values()) {
      const short = id.slice(id.indexOf('/') + 1);
      if (chance() < 0.2) present.until.set(short, 500);
      if (present.until.has(short) && chance() < 0.5) present.early.add(short);
      if (chance() < trials) present.onTrial.add(short);
      if (chance() < 0.5) present.usualMs.set(short, chance() * 1000);
    }
    const plan = planOf(snapshot, present);
    for (let left = snapshot.backends.size; ; left -= 1) {
      const barred = new Set([...plan.backends()].map(({ id }) => id).filter(() => chance() < 0.3));
      const usable = ({ id }: Backend): boolean => !barred.has(id);
      const groups = [...plan.groups(usable)].map((group) => group.map(({ id }) => id));
      const visit = plan.next(usable);
      expect(left).toBeGreaterThanOrEqual(0);
      if (visit === undefined) {
        expect([...plan.groups(usable)]).toEqual([]);
        if (barred.size === 0) break;
      } else {
        visits += 1;
        expect((trials === 0 ? groups[0] : groups.flat())?.includes(visit.backend.id)).toBe(true);
      }
      if (left === 0) break;
    }
  }
  expect(visits).toBeGreaterThan(300);
});

describe('the groups of a plan', () => {
  function groupsOf(plan: Plan, usable?: (it: Backend) => boolean): string[] {
    return [...plan.groups(usable)].map((group) => group.map(({ name }) => name).join(''));
  }

  it('are what strategies choose from, in the order of the plan', () => {
    const snapshot = routesOf(
      route('chat', [
        rule(
          [
            backend('s', { weight: 0 }),
            backend('a'),
            backend('b'),
            backend('c', { priority: 1 }),
            reference('more', { priority: 1 }),
          ],
          { failover: failover({ fallbackRoute: 'default/last' }) },
        ),
      ]),
      route('more', [rule([backend('x'), backend('y', { priority: 1 })])]),
      route('last', [rule([backend('z')])]),
    );
    const present = new Present();
    const plan = planOf(snapshot, present);
    expect(groupsOf(plan)).toEqual(['ab', 's', 'cx', 'y', 'z']);
    expect(groupsOf(plan, ({ name }) => name !== 'x')).toEqual(['ab', 's', 'cy', 'z']);
    present.until.set('chat/a', 500).set('more/y', 500);
    plan.next();
    expect(groupsOf(plan)).toEqual(['s', 'cx', 'z']);
    // One that is tried early comes before its tier.
    present.early.add('more/y');
    expect(groupsOf(plan)).toEqual(['s', 'cx', 'y', 'z']);
    present.early.add('chat/a');
    expect(groupsOf(plan)).toEqual(['a', 's', 'cx', 'y', 'z']);
    expect(present.claimed).toEqual(['chat/b']);
  });
});
