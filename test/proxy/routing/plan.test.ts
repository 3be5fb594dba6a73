import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend, Snapshot } from '../../../proxy/config/snapshot.ts';
import { createPinnedPlan, createPlan, type Plan } from '../../../proxy/routing/plan.ts';
import type { Visit } from '../../../proxy/routing/visit.ts';
import { backend, failover, route, rule, ruleInOrder } from '../../support/config.ts';
import { plainContext, Present, routeIn, routesOf, ruleIn, shortId } from './plan-rig.ts';

function planOf(snapshot: Snapshot, present = new Present(), name = 'chat', context = plainContext): Plan {
  return createPlan(ruleIn(snapshot, name), context, present);
}

/** What a plan gives until it gives no more. */
function drain(next: () => Visit | undefined): string[] {
  const visits: string[] = [];
  for (let visit = next(); visit !== undefined; visit = next()) visits.push(shortId(visit.backend));
  return visits;
}

const all = (plan: Plan): string[] => drain(() => plan.next());
const allDisabled = (plan: Plan): string[] => drain(() => plan.nextDisabled());

const reference = (name: string, differs = {}) => backend(name, { route: `default/${name}`, ...differs });

describe('a plan', () => {
  it('goes tier by tier, and picks inside a tier among what is left of it', () => {
    const backends = [backend('c', { priority: 7 }), backend('a'), backend('b'), backend('d', { priority: 7 })];
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [rule(backends)])), present);
    present.choose = (count) => count - 1;
    expect(all(plan)).toEqual(['chat/b', 'chat/a', 'chat/d', 'chat/c']);
    expect(present.picks).toEqual([
      { tier: 'default/chat/default/0', among: ['a', 'b'] },
      { tier: 'default/chat/default/7', among: ['c', 'd'] },
    ]);
    expect(plan.next()).toBeUndefined();
  });

  it('knows of a disable that was made between two visits, and of a return', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b', 'c'])])), present);
    present.until.set('chat/a', 5);
    expect(plan.next()?.backend.name).toBe('b');
    present.until.set('chat/c', 5).delete('chat/a');
    expect(plan.next()?.backend.name).toBe('a');
    expect(plan.next()).toBeUndefined();
  });

  it('asks for a claim only on the backend that it is about to give', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [rule([backend('a'), backend('b')])])), present);
    expect(present.claimed).toEqual([]);
    plan.next();
    expect(present.claimed).toEqual(['chat/a']);
  });

  it('leaves a backend out that somebody else is trying, and gives it only as if it were disabled', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [rule([backend('a'), backend('b')])])), present);
    present.onTrial.add('chat/a');
    expect(plan.next()).toMatchObject({ backend: { name: 'b' }, disabled: false });
    present.onTrial.clear();
    expect(plan.next()).toBeUndefined();
    expect(plan.nextDisabled()).toMatchObject({ backend: { name: 'a' }, disabled: true });
    expect(present.claimed).toEqual(['chat/a', 'chat/b']);
  });

  it('gives what a request can use, and keeps the rest for a later question', () => {
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b'])])));
    expect(plan.next(({ name }) => name === 'b')?.backend.name).toBe('b');
    expect(plan.next(({ name }) => name === 'b')).toBeUndefined();
    expect(plan.next()?.backend.name).toBe('a');
  });
});

describe('inside a tier, a plan', () => {
  const quick = { maxFirstContentMillis: 500 };

  it('asks spares only when no other of their tier is left, whatever the strategy', () => {
    const backends = [backend('spare', { weight: 0 }), backend('a'), backend('b'), backend('last', { priority: 1 })];
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [rule(backends, { strategy: 'Random' })])), present);
    expect(all(plan)).toEqual(['chat/a', 'chat/b', 'chat/spare', 'chat/last']);
    expect(present.picks).toEqual([{ tier: 'default/chat/default/0', among: ['a', 'b'] }]);
  });

  it('asks those first that the rule prefers, and lets the strategy choose among equals', () => {
    const backends = ['a', 'b', 'c', 'd'].map((name) => backend(name));
    const present = new Present();
    present.usualMs.set('chat/a', 900).set('chat/c', 100).set('chat/d', 700);
    const plan = planOf(routesOf(route('chat', [rule(backends, { prefer: [quick] })])), present);
    present.choose = (count) => count - 1;
    expect(all(plan)).toEqual(['chat/c', 'chat/b', 'chat/d', 'chat/a']);
    expect(present.picks.map(({ among }) => among.join(''))).toEqual(['bc', 'ad']);
  });

  it('takes a reference for the best of what is behind it', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), reference('more')], { prefer: [quick] })]),
      route('more', [rule([backend('x'), backend('y')])]),
    );
    const present = new Present();
    present.usualMs.set('chat/a', 900).set('more/x', 900).set('more/y', 100);
    expect(planOf(snapshot, present).next()?.backend.route).toBe('default/more');
    present.usualMs.set('more/y', 800);
    expect(planOf(snapshot, present).next()?.backend.name).toBe('a');
  });

  it('leaves out what is slower than the rule allows, also behind references, until it is fast again', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), backend('b'), reference('more')], { require: [quick] })]),
      route('more', [rule([backend('x'), backend('y')])]),
    );
    const present = new Present();
    present.usualMs.set('chat/a', 501).set('chat/b', 500).set('more/x', 800);
    expect(all(planOf(snapshot, present))).toEqual(['chat/b', 'more/y']);
    expect(allDisabled(planOf(snapshot, present))).toEqual(['chat/b', 'more/y']);
    present.usualMs.set('chat/a', 400);
    expect(all(planOf(snapshot, present))).toEqual(['chat/a', 'chat/b', 'more/y']);
  });
});

describe('a plan of disabled backends', () => {
  it('goes in the order in which they return, over all tiers and references, each once', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), backend('b', { priority: 1 }), reference('more', { priority: 2 })])]),
      route('more', [rule([backend('c'), backend('d')])]),
    );
    const present = new Present();
    const plan = planOf(snapshot, present);
    for (const [id, until] of Object.entries({ 'chat/a': 40, 'chat/b': 20, 'more/c': 30, 'more/d': 10 })) {
      present.until.set(id, until);
    }
    expect(plan.soonestReturn()).toBe(10);
    expect(all(plan)).toEqual([]);
    expect(allDisabled(plan)).toEqual(['more/d', 'chat/b', 'more/c', 'chat/a']);
    expect(plan.soonestReturn()).toBe(10);
  });

  it('never has what was tried while it was enabled, what is hard, or what the request cannot use', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b', 'c', 'd'])])), present);
    plan.next();
    for (const name of ['a', 'b', 'c', 'd']) present.until.set(`chat/${name}`, 100);
    present.hard.add('chat/b');
    expect(plan.nextDisabled(({ name }) => name !== 'c')?.backend.name).toBe('d');
    expect(plan.nextDisabled(({ name }) => name !== 'c')).toBeUndefined();
    expect(allDisabled(plan)).toEqual(['chat/c']);
  });

  it('is as it is at the moment it is asked', () => {
    const present = new Present();
    const plan = planOf(routesOf(route('chat', [ruleInOrder(['a', 'b'])])), present);
    present.until.set('chat/a', 10).set('chat/b', 20);
    present.hard.add('chat/a');
    expect(plan.nextDisabled()?.backend.name).toBe('b');
    present.hard.clear();
    expect(plan.nextDisabled()?.backend.name).toBe('a');
  });

  it('has no soonest return where nothing is disabled', () => {
    expect(planOf(routesOf(route('chat', [ruleInOrder(['a'])]))).soonestReturn()).toBe(Infinity);
  });
});

describe('a plan with references', () => {
  const onlyFor = (tenant: string) => [{ headers: [{ name: 'x-tenant', type: 'Exact', value: tenant } as const] }];

  it('enters the first rule of the other route that matches the request', () => {
    const snapshot = routesOf(
      route('chat', [rule([reference('more'), backend('z', { priority: 1 })])]),
      route('more', [
        ruleInOrder(['a'], { name: 'gold', matches: onlyFor('gold') }),
        ruleInOrder(['b'], { name: 'silver', matches: onlyFor('silver') }),
      ]),
    );
    const visited = (tenant: string) => {
      const context = { ...plainContext, headers: { 'x-tenant': tenant } };
      return all(planOf(snapshot, new Present(), 'chat', context));
    };
    expect(visited('gold')).toEqual(['more/a', 'chat/z']);
    expect(visited('silver')).toEqual(['more/b', 'chat/z']);
    expect(visited('lead')).toEqual(['chat/z']);
  });

  it('goes through the tiers and the fallback of the other route before its own next tier', () => {
    const inner = ruleInOrder(['a', 'b'], { failover: failover({ fallbackRoute: 'default/last' }) });
    const snapshot = routesOf(
      route('chat', [rule([reference('more'), backend('z', { priority: 1 })])]),
      route('more', [inner]),
      route('last', [ruleInOrder(['y'])]),
    );
    const plan = planOf(snapshot);
    expect(all(plan)).toEqual(['more/a', 'more/b', 'last/y', 'chat/z']);
  });

  it('picks a reference like a backend, by its own name, until nothing is left behind it', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), reference('more')])]),
      route('more', [ruleInOrder(['b', 'c'])]),
    );
    const present = new Present();
    present.choose = (count) => count - 1;
    expect(all(planOf(snapshot, present))).toEqual(['more/b', 'more/c', 'chat/a']);
    expect(present.picks[0]?.among).toEqual(['a', 'more']);
  });

  it('goes to the fallback only after all tiers', () => {
    const fails = { failover: failover({ fallbackRoute: 'default/last' }) };
    const snapshot = routesOf(route('chat', [ruleInOrder(['a', 'b'], fails)]), route('last', [ruleInOrder(['y'])]));
    const present = new Present();
    const plan = planOf(snapshot, present);
    expect(plan.next()?.backend.name).toBe('a');
    present.until.set('chat/b', 9);
    expect(plan.next()?.backend.name).toBe('y');
    expect(plan.next()).toBeUndefined();
    expect(plan.nextDisabled()?.backend.name).toBe('b');
  });

  it('has the timeouts of the rule that the request came in by, capped by its total', () => {
    const snapshot = routesOf(
      route('chat', [rule([backend('a'), reference('more')], { timeouts: { idleSeconds: 7, totalSeconds: 20 } })]),
      route('more', [ruleInOrder(['b'], { timeouts: { idleSeconds: 3, connectSeconds: 1 } })]),
    );
    const timeouts = { connectMs: 5_000, firstContentMs: 20_000, responseMs: 20_000, idleMs: 7_000, totalMs: 20_000 };
    const plan = planOf(snapshot);
    expect(plan.next()?.timeouts).toEqual(timeouts);
    expect(plan.next()?.timeouts).toEqual(timeouts);
    expect(planOf(snapshot, new Present(), 'more').next()?.timeouts).toMatchObject({ idleMs: 3_000, connectMs: 1_000 });
  });

  it('visits a backend once, however many ways lead to it', () => {
    const fails = { failover: failover({ fallbackRoute: 'default/last' }) };
    const snapshot = routesOf(
      route('chat', [rule([reference('one'), reference('two'), reference('last', { priority: 1 })], fails)]),
      route('one', [rule([backend('a'), reference('last')])]),
      route('two', [rule([reference('last'), backend('b')])]),
      route('last', [ruleInOrder(['y'])]),
    );
    expect(all(planOf(snapshot)).toSorted()).toEqual(['last/y', 'one/a', 'two/b']);
    const present = new Present();
    present.until.set('last/y', 10);
    expect(allDisabled(planOf(snapshot, present)).toSorted()).toEqual(['last/y', 'one/a', 'two/b']);
  });

  it('asks about a backend no more often where very many ways lead to it', () => {
    const depth = 10;
    const routes = Array.from({ length: depth }, (_, index) => {
      const next = Array.from({ length: 3 }, (__, place) => ({ ...reference(`r${index + 1}`), name: `ref${place}` }));
      return route(`r${index}`, [rule(next)]);
    });
    const snapshot = routesOf(...routes, route(`r${depth}`, [ruleInOrder(['y'])]));
    const present = new Present();
    present.until.set(`r${depth}/y`, 10);
    let asked = 0;
    const facts = { ...present, disabledUntil: (it: Backend) => ((asked += 1), present.disabledUntil(it)) };
    const plan = createPlan(ruleIn(snapshot, 'r0'), plainContext, facts);
    expect(plan.isEmpty()).toBe(false);
    expect(all(plan)).toEqual([]);
    expect(allDisabled(plan)).toEqual([`r${depth}/y`]);
    expect(plan.soonestReturn()).toBe(10);
    expect(asked).toBeLessThan(20);
  });

  it('is empty only where there is no backend behind any of them', () => {
    const never = [{ headers: [{ name: 'x-never', type: 'Present' } as const] }];
    const snapshot = routesOf(
      route('chat', [rule([reference('more')])]),
      route('more', [ruleInOrder(['a'], { matches: never })]),
      route('full', [rule([reference('rest')])]),
      route('rest', [ruleInOrder(['b'])]),
    );
    expect(planOf(snapshot).isEmpty()).toBe(true);
    expect(planOf(snapshot).next()).toBeUndefined();
    const present = new Present();
    present.until.set('rest/b', 10);
    expect(planOf(snapshot, present, 'full').isEmpty()).toBe(false);
  });
});

describe('a plan for a pin', () => {
  const snapshot = routesOf(
    route('chat', [rule([backend('a'), backend('b'), reference('more')])]),
    route('more', [ruleInOrder(['c', 'd'])]),
  );

  function pinned(name: string, present: Present): Plan {
    const pin = routeIn(snapshot, 'chat').pins.get(name);
    if (pin?.kind !== 'candidate') throw new Error(`no pin ${name}`);
    return createPinnedPlan(pin, plainContext, present);
  }

  it('has that backend and no other', () => {
    const plan = pinned('b', new Present());
    expect(all(plan)).toEqual(['chat/b']);
    expect(plan.nextDisabled()).toBeUndefined();
  });

  it('has it while it is softly disabled, and not while it is hard', () => {
    const present = new Present();
    present.until.set('chat/b', 10);
    expect(pinned('b', present).next()).toBeUndefined();
    expect(pinned('b', present).nextDisabled()).toMatchObject({ backend: { name: 'b' }, disabled: true });
    present.hard.add('chat/b');
    expect(pinned('b', present).nextDisabled()).toBeUndefined();
  });

  it('stays inside the route that it names', () => {
    expect(all(pinned('more', new Present()))).toEqual(['more/c', 'more/d']);
  });
});

/** Routes r0, r1, … in which each refers only to later ones, so that there is no circle. */
const arbitraryRoutes = fc
  .array(
    fc.array(fc.record({ to: fc.option(fc.nat({ max: 5 })), priority: fc.nat({ max: 2 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((shapes) =>
    shapes.map((entries, index) => {
      const candidates = entries.map(({ to, priority }, place) => {
        const later = index + 1 + (to ?? 0);
        if (to === null || later >= shapes.length) return backend(`b${index}-${place}`, { priority });
        return { ...reference(`r${later}`, { priority }), name: `ref${place}` };
      });
      return route(`r${index}`, [rule(candidates)]);
    }),
  );

describe('every plan', () => {
  it('reaches each enabled backend exactly once, and then each softly disabled one exactly once', () => {
    fc.assert(
      fc.property(arbitraryRoutes, fc.array(fc.nat(), { minLength: 64, maxLength: 64 }), (routes, dice) => {
        const snapshot = routesOf(...routes);
        const present = new Present();
        let throws = 0;
        present.choose = (count) => (dice[throws++ % dice.length] ?? 0) % count;
        const reachable = reach(snapshot, 'r0', new Set());
        const [enabled, soft, hard]: [string[], string[], string[]] = [[], [], []];
        [...reachable].forEach((id, index) => {
          const fate = (dice[index] ?? 0) % 4;
          if (fate === 0) soft.push(id);
          else if (fate === 1) hard.push(id);
          else enabled.push(id);
          if (fate < 2) present.until.set(id, 1 + index);
        });
        hard.forEach((id) => present.hard.add(id));
        const plan = planOf(snapshot, present, 'r0');
        expect(all(plan).toSorted()).toEqual(enabled.toSorted());
        expect(allDisabled(plan)).toEqual(soft);
      }),
      { numRuns: 200 },
    );
  });
});

function reach(snapshot: Snapshot, name: string, found: Set<string>): Set<string> {
  for (const { candidates } of ruleIn(snapshot, name).tiers) {
    for (const candidate of candidates) {
      if (candidate.kind === 'backend') found.add(shortId(candidate));
      else reach(snapshot, candidate.route.id.slice('default/'.length), found);
    }
  }
  return found;
}
