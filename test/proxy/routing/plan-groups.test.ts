// In which order a plan comes to its backends, and which of them serve one request at a time.

import { describe, expect, it } from 'vitest';
import type { Backend, Snapshot } from '../../../proxy/config/snapshot.ts';
import { createPlan, type Plan } from '../../../proxy/routing/plan.ts';
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
