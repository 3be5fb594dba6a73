import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import type { Balancer } from '../../../proxy/balancing/balancer.ts';
import type { ProviderConfig, RuleConfig, UpstreamKeyConfig } from '../../../proxy/config/schema.ts';
import type { Provider, Rule, Snapshot, Tier, UpstreamKey } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { backend, configOf, provider, route, rule, upstreamKey } from '../../support/config.ts';
import { Attempts, balancerOf, keyed, plain } from './rig.ts';

type KeyStrategy = NonNullable<ProviderConfig['credentials']['keyPool']>['strategy'];

/** A route over `a` and `b`, whose provider `a` has a pool of keys. */
function snapshotOf(
  differs: { rule?: Partial<RuleConfig>; keys?: readonly Partial<UpstreamKeyConfig>[]; strategy?: KeyStrategy } = {},
): Snapshot {
  const keyPool = { strategy: differs.strategy ?? 'RoundRobin', stickiness: 'None' } as const;
  const { config, credentials } = configOf({
    providers: ['a', 'b'].map((name) =>
      provider(name, 'http://upstream.example', { credentials: { type: 'KeyPool', keyPool } }),
    ),
    routes: [
      route('chat', [
        rule([backend('a', { weight: 3 }), backend('b'), backend('c', { provider: 'default/b', priority: 1 })], {
          strategy: 'Weighted',
          ...differs.rule,
        }),
      ]),
    ],
    upstreamKeys: (differs.keys ?? [{}, {}, {}]).map((key, index) =>
      upstreamKey(`k${index}`, 'a', `secret${index}`, key),
    ),
  });
  return compileSnapshot(config, credentials);
}

function tierOf(snapshot: Snapshot): {
  tier: Tier;
  of: Rule;
  candidates: { id: string; weight: number; name: string }[];
} {
  const of = snapshot.routes.get('default/chat')?.rules[0];
  const tier = of?.tiers[0];
  if (of === undefined || tier === undefined) throw new Error('no tier');
  const candidates = tier.candidates.map(({ name, weight }) => ({ id: `default/chat/${name}`, weight, name }));
  return { tier, of, candidates };
}

function providerOf(snapshot: Snapshot): Provider {
  const found = snapshot.providers.get('default/a');
  if (found === undefined) throw new Error('no provider');
  return found;
}

function picks(balancer: Balancer, snapshot: Snapshot, times: number): string {
  const { tier, of, candidates } = tierOf(snapshot);
  return Array.from({ length: times }, () => balancer.pick(tier, of, candidates, plain).name).join('');
}

function keyPicks(balancer: Balancer, { snapshot, times, among }: KeyPicks): string[] {
  const pool = providerOf(snapshot);
  const eligible = pool.keys.filter((key) => among?.(key) ?? true);
  return Array.from({ length: times }, () => balancer.pickKey(pool, eligible, plain).id.slice(-1));
}

interface KeyPicks {
  readonly snapshot: Snapshot;
  readonly times: number;
  readonly among?: (key: UpstreamKey) => boolean;
}

describe('the balancer', () => {
  it('goes on with the turn of a tier through new configurations', () => {
    const balancer = balancerOf(1);
    const order = [1, 1, 1, 1, 1, 1, 1, 1].map((times) => picks(balancer, snapshotOf(), times)).join('');
    expect(order).toBe(picks(balancerOf(1), snapshotOf(), 8));
    expect(order).toBe('aabaaaba');
  });

  it('starts anew where the strategy of a rule changes', () => {
    const balancer = balancerOf(1);
    picks(balancer, snapshotOf(), 3);
    expect(picks(balancer, snapshotOf({ rule: { strategy: 'RoundRobin' } }), 4)).toBe('abab');
  });

  it('keeps rules apart', () => {
    const balancer = balancerOf(1);
    picks(balancer, snapshotOf({ rule: { name: 'one' } }), 2);
    expect(picks(balancer, snapshotOf({ rule: { name: 'two' } }), 4)).toBe('aaba');
  });

  it('takes the keys of a pool in turn, by weight, or by use', () => {
    const times = 9;
    const weights = [{ weight: 1 }, { weight: 2 }, { weight: 6 }];
    const counts = (strategy: KeyStrategy): number[] => {
      const taken = keyPicks(balancerOf(1), {
        snapshot: snapshotOf({ strategy, keys: weights }),
        times,
      });
      return ['0', '1', '2'].map((id) => taken.filter((it) => it === id).length);
    };
    expect(counts('RoundRobin')).toEqual([3, 3, 3]);
    expect(counts('LeastUsed')).toEqual([3, 3, 3]);
    expect(counts('Weighted')).toEqual([1, 2, 6]);
  });

  it('takes keys of the first priority in turn, and the others only when those are away', () => {
    const keys = [{ priority: 1 }, { priority: 0 }, { priority: 0 }, { priority: 2 }];
    const snapshot = snapshotOf({ strategy: 'PriorityOrder', keys });
    const balancer = balancerOf(1);
    expect(keyPicks(balancer, { snapshot, times: 4 })).toEqual(['1', '2', '1', '2']);
    expect(keyPicks(balancer, { snapshot, times: 2, among: ({ priority }) => priority > 0 })).toEqual(['0', '0']);
    expect(keyPicks(balancer, { snapshot, times: 1, among: ({ priority }) => priority > 1 })).toEqual(['3']);
    expect(keyPicks(balancer, { snapshot, times: 2 })).toEqual(['1', '2']);
  });

  it('lets a conversation keep to its key while that is no busier than the others by much', () => {
    const loads = new LoadBook();
    const balancer = balancerOf(1, loads);
    const pool = providerOf(snapshotOf());
    const { config } = pool;
    const sticky = {
      ...pool,
      config: {
        ...config,
        credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'Conversation' } },
      },
    } as const;
    const taken = Array.from({ length: 12 }, () => {
      const { id } = balancer.pickKey(sticky, pool.keys, keyed(42));
      new Attempts(loads, 'default/chat/a').begin(0, id);
      return id;
    });
    expect(new Set(taken.slice(0, 8)).size).toBe(1);
    expect(taken[8]).not.toBe(taken[0]);
  });

  it('remembers a bounded number of tiers', () => {
    const balancer = balancerOf(1);
    const { tier, of, candidates } = tierOf(snapshotOf());
    for (let index = 0; index < 50_000; index += 1)
      balancer.pick({ ...tier, id: `old/${index}` }, of, candidates, plain);
    expect(picks(balancer, snapshotOf(), 4)).toBe('aaba');
  });
});
