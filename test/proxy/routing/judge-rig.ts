// A judge made of the parts it has in a gateway, over a small configuration and a clock that stands still.

import type { FailureSignal, SignalHeaders } from '../../../proxy/canonical/failure.ts';
import type { FailoverConfig, ProviderConfig } from '../../../proxy/config/schema.ts';
import type { Backend, Rule, Snapshot, UpstreamKey } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { createClassifier } from '../../../proxy/routing/classify.ts';
import { createFailureCounter } from '../../../proxy/routing/failure-counter.ts';
import { createJudge, type FailedRequest, type Judge } from '../../../proxy/routing/judge.ts';
import { createKeyHistories, type KeyHistories } from '../../../proxy/routing/key-history.ts';
import { createPoisonBook } from '../../../proxy/routing/poison.ts';
import { createRetryBudget } from '../../../proxy/routing/retry-budget.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryStore } from '../../../proxy/state/memory-store.ts';
import type { DisableBook } from '../../../proxy/state/store.ts';
import { TestClock } from '../../support/clock.ts';
import { backend, configOf, failover, provider, route, rule, upstreamKey } from '../../support/config.ts';
import { ruleIn } from './plan-rig.ts';

/** Backends `a` and `b` name their model, `c` takes the client's; `a` has the keys `k1` and `k2` where there is a pool. */
export class JudgeRig {
  readonly clock = new TestClock();
  readonly disables: DisableBook;
  readonly judge: Judge;
  readonly rule: Rule;
  readonly keys: KeyHistories;
  readonly #snapshot: Snapshot;

  constructor(differs: Partial<FailoverConfig> = {}, credentials: ProviderConfig['credentials'] = { type: 'None' }) {
    const { clock } = this;
    const models = [
      { name: 'small', upstreamName: 'small', maxContextTokens: 1_000 },
      { name: 'large', upstreamName: 'large', maxContextTokens: 2_000 },
    ];
    const { config, credentials: secrets } = configOf({
      providers: ['a', 'b', 'c'].map((name) =>
        provider(name, `http://${name}.example/v1`, { credentials, models: name === 'c' ? [] : models }),
      ),
      routes: [
        route('chat', [
          rule([backend('a', { model: 'small' }), backend('b', { model: 'large' }), backend('c')], {
            failover: failover(differs),
          }),
        ]),
      ],
      upstreamKeys: ['k1', 'k2'].map((name) => upstreamKey(name, 'a', `secret-${name}`)),
    });
    this.#snapshot = compileSnapshot(config, secrets);
    this.rule = ruleIn(this.#snapshot, 'chat');
    const log = { info: () => undefined, warn: () => undefined };
    this.disables = createDisableBook({ clock, store: createMemoryStore({ clock }), proxyId: 'p', log });
    this.keys = createKeyHistories({ clock });
    this.judge = createJudge({
      clock,
      random: () => 0,
      classify: createClassifier({ clock }),
      disables: this.disables,
      counter: createFailureCounter({ clock }),
      poison: createPoisonBook({ clock }),
      budget: createRetryBudget({ clock }),
      keys: this.keys,
    });
  }

  backend(name: string): Backend {
    const found = this.#snapshot.backends.get(`default/chat/${name}`);
    if (found === undefined) throw new Error(`no backend ${name}`);
    return found;
  }

  key(name: string): UpstreamKey {
    const found = this.backend('a').provider.keys.find(({ id }) => id === `default/${name}`);
    if (found === undefined) throw new Error(`no key ${name}`);
    return found;
  }

  /** An attempt that begins now. */
  begin(
    name: string,
    { disabled = false, early = false, key = undefined as string | undefined, model = 'gpt' } = {},
  ): FailedRequest {
    const to = this.backend(name);
    return {
      visit: { backend: to, timeouts: to.timeouts, disabled, early },
      key: key === undefined ? undefined : this.key(key),
      model: to.upstreamModel ?? model,
      begunMs: this.clock.now(),
      relayed: false,
      signal: answered(500),
      rule: this.rule,
      body: Buffer.from('a request'),
    };
  }

  /** An attempt that begins now and fails at once. */
  fail(name: string, signal: FailureSignal = answered(503), options: Parameters<JudgeRig['begin']>[1] = {}) {
    return this.judge.failed({ ...this.begin(name, options), signal });
  }

  succeed(name: string, options: Parameters<JudgeRig['begin']>[1] = {}): void {
    this.judge.succeeded(this.begin(name, options));
  }

  /** Seconds until the backend, or that model on it, returns; 0 = enabled. */
  disabledFor(name: string, model?: string): number {
    return this.#secondsLeft(this.backend(name).target, model);
  }

  keyDisabledFor(name: string, model?: string): number {
    return this.#secondsLeft(this.key(name).target, model);
  }

  /** What is in force for a key. */
  keyEntry(name: string): { readonly hard: boolean; readonly reason: string } | undefined {
    return this.disables.find(this.key(name).target);
  }

  claim(name: string): boolean {
    return this.disables.claim(this.backend(name).target);
  }

  #secondsLeft(target: string, model: string | undefined): number {
    const untilMs = this.disables.until(model === undefined ? target : `${target}#${model}`);
    return untilMs === 0 ? 0 : (untilMs - this.clock.now()) / 1000;
  }
}

/** An answer with an error status. */
export function answered(status: number, body = '{}', headers: SignalHeaders = {}): FailureSignal {
  return { type: 'answer', status, headers, body };
}

/** A transport that failed. */
export function broken(fault: 'connect' | 'reset' | 'dns' | 'headers-timeout' | 'content-timeout'): FailureSignal {
  return { type: 'transport', fault, cause: 'the test' };
}
