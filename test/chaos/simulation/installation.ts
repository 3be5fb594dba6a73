// What the proxies of a simulation serve: a few routes over four providers, in many forms. A form is compiled once for all
// runs that have it; compiled configurations are immutable.

import type { FailoverConfig } from '../../../proxy/config/schema.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import { SnapshotStore } from '../../../proxy/config/store.ts';
import { backend, configOf, failover, provider, route, rule, upstreamKey } from '../../support/config.ts';
import { Chance } from './virtual-time.ts';

/** One backend as the simulation knows it. */
export interface Leaf {
  /** `namespace/route/name`. */
  readonly id: string;
  readonly provider: string;
  /** Upstream keys, as the disable book knows them; empty without a pool. */
  readonly keys: readonly string[];
  /** Lowest first; a fallback comes after all tiers. */
  readonly tier: number;
}

/** What differs between installations. */
export interface Form {
  /** Of each backend, in the order of the providers. */
  readonly tiers: readonly number[];
  readonly fallback: boolean;
  readonly keyed: boolean;
  readonly strategy: 'Random' | 'RoundRobin' | 'Weighted';
  readonly disableSeconds: number;
  readonly failures: number;
  readonly maxSeconds: number | undefined;
  readonly retries: number;
  readonly maxAttempts: number;
  readonly whenAllDisabled: FailoverConfig['whenAllDisabled'];
  readonly holdSeconds: number;
  readonly totalMs: number;
  readonly hedgeSeconds: number | undefined;
  readonly probeSeconds: number | undefined;
  /** Other providers go on with what broke: so all of them say the same. */
  readonly resumes: boolean;
}

/** Deadlines of every form, in milliseconds: short, so that a run sees many. */
const deadlines = { connectMs: 1000, firstContentMs: 2000, responseMs: 3000, idleMs: 1500 };

/** Names of the providers; the last is that of the fallback. */
export const providerNames = ['p0', 'p1', 'p2', 'p3'] as const;
const keyNames = ['k0', 'k1', 'k2'] as const;

/** The secret of a key after it was changed so many times. */
export function secretOf(key: string, turn: number): string {
  return `secret-${key}-${turn}`;
}

/** To compile a form takes longer than to run it: there are so many of them and no more. */
const formsMax = 256;

/** Draws a form. */
export function drawForm(chance: Chance): Form {
  return formOf(new Chance(1 + chance.below(formsMax)));
}

function formOf(chance: Chance): Form {
  return {
    tiers: chance.one([
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 2],
      [0, 1, 1],
    ]),
    fallback: chance.is(0.4),
    keyed: chance.is(0.5),
    strategy: chance.one(['Random', 'RoundRobin', 'Weighted']),
    disableSeconds: chance.one([2, 10]),
    failures: chance.is(0.7) ? 1 : 2,
    maxSeconds: chance.is(0.3) ? 20 : undefined,
    retries: chance.is(0.3) ? 1 : 0,
    maxAttempts: chance.is(0.7) ? 10 : 2,
    whenAllDisabled: chance.is(0.6) ? 'SoonestExpiring' : 'Fail',
    holdSeconds: chance.is(0.7) ? 15 : 1,
    totalMs: chance.is(0.8) ? 20_000 : 3500,
    hedgeSeconds: chance.is(0.25) ? 0.3 : undefined,
    resumes: chance.is(0.3),
    probeSeconds: chance.is(0.25) ? 0.5 : undefined,
  };
}

/** The backends that a request to the route `chat` may be sent to. */
export function leavesOf(form: Form): readonly Leaf[] {
  const keys = form.keyed ? keyNames.map((name) => `key:default/${name}`) : [];
  const leaves = form.tiers.map((tier, index): Leaf => {
    const name = providerNames[index] ?? '';
    return { id: `default/chat/${name}`, provider: `default/${name}`, keys: index === 0 ? keys : [], tier };
  });
  if (form.fallback) leaves.push({ id: 'default/spare/p3', provider: 'default/p3', keys: [], tier: Infinity });
  return leaves;
}

const compiled = new Map<string, Snapshot>();

/** The form, with the secrets that its keys have after so many changes. */
export function snapshotOf(form: Form, turns: readonly number[]): Snapshot {
  const name = JSON.stringify([form, turns]);
  let snapshot = compiled.get(name);
  if (snapshot === undefined) compiled.set(name, (snapshot = compile(form, turns)));
  return snapshot;
}

/** Keys and their secrets. */
export function secretsOf(form: Form, turns: readonly number[]): readonly string[] {
  return form.keyed ? keyNames.map((name, index) => secretOf(name, turns[index] ?? 0)) : [];
}

function compile(form: Form, turns: readonly number[]): Snapshot {
  const settings = failover({
    disable: {
      failures: form.failures,
      windowSeconds: 60,
      seconds: form.disableSeconds,
      ...(form.maxSeconds === undefined ? {} : { maxSeconds: form.maxSeconds }),
      ...(form.probeSeconds === undefined ? {} : { probeSeconds: form.probeSeconds }),
    },
    retry: { attempts: form.retries, baseMillis: 20, maxMillis: 1000, jitterPercent: 20 },
    maxAttempts: form.maxAttempts,
    whenAllDisabled: form.whenAllDisabled,
    holdSeconds: form.holdSeconds,
    afterContent: form.resumes ? 'Resume' : 'Error',
    ...(form.hedgeSeconds === undefined ? {} : { hedgeSeconds: form.hedgeSeconds }),
  });
  const timeouts = Object.fromEntries(
    Object.entries({ ...deadlines, totalMs: form.totalMs }).map(([key, ms]) => [
      key.replace('Ms', 'Seconds'),
      ms / 1000,
    ]),
  );
  const backends = form.tiers.map((priority, index) =>
    backend(providerNames[index] ?? '', { priority, weight: 1 + index }),
  );
  const common = { failover: settings, timeouts, strategy: form.strategy };
  const fallback = form.fallback ? { fallbackRoute: 'default/spare' } : {};
  const chat = rule(backends, { ...common, failover: { ...settings, ...fallback } });
  const draft = {
    providers: providerNames.map((name, index) =>
      provider(name, `https://${name}.example/v1`, {
        credentials: { type: index === 0 && form.keyed ? 'KeyPool' : 'None' },
      }),
    ),
    upstreamKeys: form.keyed
      ? keyNames.map((name, index) => upstreamKey(name, 'p0', secretOf(name, turns[index] ?? 0)))
      : [],
    routes: [route('chat', [chat]), route('spare', [rule([backend('p3')], common)])],
  };
  const { config, credentials } = configOf(draft);
  const store = new SnapshotStore({ now: () => 0, setTimer: () => ({ cancel: () => {} }) });
  const refusal = store.offer(config, credentials);
  if (refusal !== undefined || store.current === undefined) throw new Error(refusal?.reasons.join('; '));
  return store.current;
}
