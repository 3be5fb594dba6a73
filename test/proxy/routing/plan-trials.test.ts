import { describe, expect, it } from 'vitest';

import { createPlan, type Plan } from '../../../proxy/routing/plan.ts';
import type { Visit } from '../../../proxy/routing/visit.ts';
import { backend, route, rule, ruleInOrder } from '../../support/config.ts';
import { plainContext, Present, routesOf, ruleIn, shortId } from './plan-rig.ts';

function planOf(snapshot: ReturnType<typeof routesOf>, present: Present): Plan {
  return createPlan(ruleIn(snapshot, 'chat'), plainContext, present);
}

function all(plan: Plan): string[] {
  const visits: string[] = [];
  for (let visit: Visit | undefined = plan.next(); visit !== undefined; visit = plan.next()) {
    visits.push(shortId(visit.backend));
  }
  return visits;
}

describe('a plan with early trials', () => {
  it('gives a disabled backend that is due before all others of its tier, and says what for', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [rule([backend('a'), backend('b'), backend('c')])])), present);
    present.until.set('chat/b', 500);
    present.early.add('chat/b');
    const visit = plan.next();
    expect(visit).toMatchObject({ backend: { name: 'b' }, disabled: true, early: true });
    // A quarter of the 600 s that a request may take would be more than it may wait for content anyway.
    expect(visit?.timeouts).toMatchObject({ firstContentMs: 60_000, responseMs: 150_000 });
    expect(present.claimed).toEqual([]);
    expect(plan.next()).toMatchObject({ backend: { name: 'a' }, disabled: false, early: false });
    expect(all(plan)).toEqual(['chat/c']);
    expect(plan.nextDisabled()).toBeUndefined();
  });

  it('comes to a lower tier only when the upper one has nothing', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b'])])), present);
    present.until.set('chat/b', 500);
    present.early.add('chat/b');
    expect(plan.next()).toMatchObject({ backend: { name: 'a' }, early: false });
    expect(plan.next()).toMatchObject({ backend: { name: 'b' }, early: true });
  });

  it('finds one behind a reference, and asks whether the request can use it', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('more', { route: 'default/more' }), backend('b', { priority: 1 })])]),
      route('more', [rule([backend('c'), backend('d')])]),
    );
    const present = new Present();
    for (const name of ['more/c', 'more/d']) present.until.set(name, 500);
    present.early.add('more/c').add('more/d');
    const plan = planOf(snapshot, present);
    expect(plan.next(({ name }) => name !== 'c')).toMatchObject({ backend: { name: 'd' }, early: true });
    expect(plan.next(({ name }) => name !== 'c')).toMatchObject({ backend: { name: 'b' }, early: false });
  });

  it('takes back what somebody else is trying, and then has it only as a disabled one', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b'])])), present);
    present.until.set('chat/a', 500);
    present.early.add('chat/a');
    const visit = plan.next();
    if (visit === undefined) throw new Error('nothing was due');
    plan.skip(visit);
    expect(all(plan)).toEqual(['chat/b']);
    expect(plan.nextDisabled()).toMatchObject({ backend: { name: 'a' }, disabled: true, early: false });
  });
});
