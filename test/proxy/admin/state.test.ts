import { describe, expect, it } from 'vitest';
import { describeState, leaveOutEnabled, type AdminState, type StateFacts } from '../../../proxy/admin/state.ts';
import type { GatewayConfig } from '../../../proxy/config/schema.ts';
import type { DisableEntry } from '../../../proxy/state/store.ts';

/** As much of a configuration as the state looks at: `azure` in two rules, and a reference to another route. */
const config = {
  providers: [{ id: 'team-a/azure' }],
  routes: [
    {
      id: 'team-a/chat',
      rules: [
        { backends: [{ name: 'azure', provider: 'team-a/azure', model: 'gpt-4o' }] },
        {
          backends: [
            { name: 'azure', provider: 'team-a/azure', model: 'gpt-4o' },
            { name: 'elsewhere', route: 'team-b/x' },
          ],
        },
      ],
    },
  ],
  upstreamKeys: [
    { id: 'team-a/one', provider: 'team-a/azure', state: 'Enabled' },
    { id: 'team-a/two', provider: 'team-a/azure', state: 'Disabled' },
  ],
} as unknown as GatewayConfig;

const target = 'backend:team-a/chat/azure';

function entry(facts: Partial<DisableEntry>): DisableEntry {
  return {
    id: 'e',
    target,
    hard: false,
    reason: 'Timeout',
    sinceMs: 500,
    untilMs: 2000,
    by: 'proxy-a',
    generation: 0,
    ...facts,
  };
}

const idle = {
  inFlight: 0,
  waiting: 0,
  health: 1,
  failingPercent: 0,
  firstContentMs: undefined,
  responseMs: undefined,
};

function describeWith(facts: Partial<StateFacts>): AdminState {
  return describeState({
    config,
    disables: [],
    store: { kind: 'memory', state: 'ok', sinceMs: 0, proxies: 1, detail: undefined },
    inFlight: 4,
    loadOf: (id) => ({ ...idle, inFlight: id === 'team-a/chat/azure' ? 2 : 0 }),
    limitOf: () => undefined,
    overload: { shedShare: 0, shed: {} },
    onTrial: () => false,
    nowMs: 1000,
    ...facts,
  });
}

describe('the state', () => {
  it('lists every backend once and every key, enabled where nothing says otherwise', () => {
    const { backends, keys, inFlight } = describeWith({});
    expect(inFlight).toBe(4);
    expect(backends).toEqual([
      {
        id: 'team-a/chat/azure',
        route: 'team-a/chat',
        name: 'azure',
        provider: 'team-a/azure',
        model: 'gpt-4o',
        ...idle,
        inFlight: 2,
        state: 'enabled',
        models: [],
      },
    ]);
    expect(keys).toEqual([
      { id: 'team-a/one', provider: 'team-a/azure', state: 'enabled', models: [] },
      { id: 'team-a/two', provider: 'team-a/azure', state: 'disabled', hard: true, reason: 'Configured', models: [] },
    ]);
  });

  it('is empty before the first configuration', () => {
    expect(describeWith({ config: undefined })).toMatchObject({ backends: [], keys: [] });
  });

  it('shows the hard disable where there is a soft one too, else the one that ends last', () => {
    const soft = entry({ untilMs: 9000 });
    const hard = entry({ hard: true, reason: 'Authentication', untilMs: 3000 });
    const shown = {
      state: 'disabled',
      hard: true,
      reason: 'Authentication',
      sinceMs: 500,
      untilMs: 3000,
      by: 'proxy-a',
    };
    expect(describeWith({ disables: [soft, hard] }).backends[0]).toMatchObject(shown);
    expect(describeWith({ disables: [hard, soft] }).backends[0]).toMatchObject(shown);
    expect(describeWith({ disables: [soft, entry({})] }).backends[0]).toMatchObject({ hard: false, untilMs: 9000 });
  });

  it('has no end for what only a person ends, and forgets what has ended', () => {
    const forever = entry({ hard: true, reason: 'Manual', untilMs: Number.MAX_SAFE_INTEGER });
    expect(describeWith({ disables: [forever] }).backends[0]).not.toHaveProperty('untilMs');
    expect(describeWith({ disables: [entry({ untilMs: 1000 })] }).backends[0]).toMatchObject({ state: 'enabled' });
  });

  it('shows models by themselves', () => {
    const disables = [
      entry({ target: `${target}#gpt#4o`, reason: 'ModelNotFound' }),
      entry({ target: 'key:team-a/one#gpt-4o', reason: 'RateLimit' }),
    ];
    const { backends, keys } = describeWith({ disables });
    expect(backends[0]).toMatchObject({ state: 'enabled', models: [{ model: 'gpt#4o', reason: 'ModelNotFound' }] });
    expect(keys[0]).toMatchObject({ state: 'enabled', models: [{ model: 'gpt-4o', reason: 'RateLimit' }] });
  });

  it('shows a trial', () => {
    expect(describeWith({ onTrial: (id) => id === target }).backends[0]).toMatchObject({ state: 'trial' });
    expect(describeWith({ onTrial: () => true, disables: [entry({})] }).backends[0]).toMatchObject({
      state: 'disabled',
    });
  });

  it('without what is enabled has what is disabled as a whole or for a model, on trial, or switched off', () => {
    const news = (facts: Partial<StateFacts>): readonly string[] => {
      const { backends, keys } = leaveOutEnabled(describeWith(facts));
      return [...backends, ...keys].map(({ id }) => id);
    };
    const backend = 'team-a/chat/azure';
    expect(news({})).toEqual(['team-a/two']);
    expect(news({ disables: [entry({})] })).toEqual([backend, 'team-a/two']);
    expect(news({ disables: [entry({ target: `${target}#m` })] })).toEqual([backend, 'team-a/two']);
    expect(news({ onTrial: (id) => id === target })).toEqual([backend, 'team-a/two']);
    expect(news({ disables: [entry({ target: 'key:team-a/one#m' })] })).toEqual(['team-a/one', 'team-a/two']);
  });
});

describe('a provider that a probe has found not to work', () => {
  const byProbe = entry({ target: 'provider:team-a/azure', reason: 'Probe', untilMs: 3000 });
  const probed = { ...config, providers: [{ id: 'team-a/azure', probe: {} }] } as unknown as GatewayConfig;
  const stateOf = (facts: Partial<StateFacts>) => describeWith({ config: probed, ...facts }).backends[0];

  it('takes all its backends out, and says so of each', () => {
    expect(stateOf({ disables: [byProbe] })).toMatchObject({ state: 'disabled', reason: 'Probe', untilMs: 3000 });
  });

  it('does so only as long as the configuration names a probe', () => {
    expect(stateOf({ disables: [byProbe], config })).toMatchObject({ state: 'enabled' });
  });

  it('says what holds longest where the backend is out for itself, too', () => {
    expect(stateOf({ disables: [byProbe, entry({})] })).toMatchObject({ reason: 'Probe', untilMs: 3000 });
    expect(stateOf({ disables: [byProbe, entry({ untilMs: 4000 })] })).toMatchObject({ reason: 'Timeout' });
    expect(stateOf({ disables: [byProbe, entry({ hard: true })] })).toMatchObject({ reason: 'Timeout', hard: true });
  });
});
