// The failover loop with every step in the hands of the test: what each attempt comes to is a script.

import type { AttemptOutcome } from '../../../proxy/canonical/attempt.ts';
import type { Backend, Rule, UpstreamKey } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { FailoverConfig } from '../../../proxy/config/schema.ts';
import { Failover } from '../../../proxy/routing/failover.ts';
import type { Attempt, FailoverEnd, FailoverSteps, NextStep } from '../../../proxy/routing/failover-steps.ts';
import { createPlan, type Plan } from '../../../proxy/routing/plan.ts';
import type { Visit } from '../../../proxy/routing/visit.ts';
import {
  configOf,
  failover as failoverConfig,
  provider,
  route,
  ruleInOrder,
  upstreamKey,
} from '../../support/config.ts';
import { failureOf } from './failures.ts';
import { plainContext, Present, ruleIn } from './plan-rig.ts';

/** What one attempt comes to; `hang` only ends by being aborted. */
export type Scripted = 'committed' | 'empty' | 'deadline' | 'hang' | 'stale' | NextStep['type'] | NextStep;

/** One attempt, with all that was said of it. */
export class ScriptedAttempt implements Attempt {
  readonly outcome: Promise<AttemptOutcome>;
  /** `backend` or `backend key`. */
  readonly place: string;
  readonly script: Scripted;
  readonly isResend: boolean;
  /** Each step that was told of the end of this attempt. */
  readonly told: string[] = [];
  readonly #rig: FailoverRig;
  #resolve: (outcome: AttemptOutcome) => void = () => undefined;

  constructor(rig: FailoverRig, place: string, script: Scripted, isResend = false) {
    this.#rig = rig;
    this.place = place;
    this.script = script;
    this.isResend = isResend;
    this.outcome = new Promise((resolve) => (this.#resolve = resolve));
    const outcome = outcomeOf(script);
    if (outcome !== undefined) this.#resolve(outcome);
  }

  /** An attempt that hangs fails at last. */
  fail(): void {
    this.#resolve({ type: 'failed', signal, staleSocket: false });
  }

  /** Ends one that hangs. */
  finish(outcome: AttemptOutcome): void {
    this.#resolve(outcome);
  }

  abort(): void {
    this.#rig.log.push(`abort ${this.place}`);
    this.#resolve({ type: 'aborted' });
  }

  resend(): this {
    const { place } = this;
    return this.#rig.sent(new ScriptedAttempt(this.#rig, place, this.#rig.nextScript(), true)) as this;
  }
}

const signal = { type: 'truncated', cause: 'the test' } as const;

function outcomeOf(script: Scripted): AttemptOutcome | undefined {
  switch (script) {
    case 'committed':
    case 'deadline':
      return { type: script };
    case 'hang':
      return undefined;
    case 'empty':
      return { type: 'empty', signal };
    default:
      return { type: 'failed', signal, staleSocket: script === 'stale' };
  }
}

/** A search under test. */
export class FailoverRig {
  readonly attempts: ScriptedAttempt[] = [];
  /** Sends, waits, and claims, in their order. */
  readonly log: string[] = [];
  readonly present = new Present();
  readonly controller = new AbortController();
  scripts: Scripted[] = [];
  /** Keys that the pools have left. */
  keys: readonly UpstreamKey[];
  /** Those of them that a visit may use. */
  keysOf: (visit: Visit) => readonly UpstreamKey[] = () => this.keys;
  /** Whether a key that was given is this request's to try; not asked for where it is undefined. */
  prepareKey: ((key: UpstreamKey) => Promise<boolean>) | undefined;
  /** Keys that were given, and those that were given back unused: `backend key`. */
  readonly given: string[] = [];
  readonly unused: string[] = [];
  overrides = Infinity;
  released: string[] = [];
  /** Whether a visit can be made; not asked for where it is undefined. */
  prepare: ((visit: Visit) => Promise<boolean> | undefined) | undefined;
  /** What comes before each pick; nothing where it is undefined. */
  free: FailoverSteps<ScriptedAttempt>['free'];
  readonly plan: Plan;
  readonly rule: Rule;
  mayGoOn: ReturnType<FailoverSteps<ScriptedAttempt>['mayGoOn']> = 'yes';
  /** Called by every wait and with every send; to abort at that moment. */
  moment: (what: string) => void = () => undefined;

  constructor(names: readonly string[], differs: Partial<FailoverConfig> = {}, keyNames: readonly string[] = []) {
    const credentials =
      keyNames.length === 0
        ? ({ type: 'None' } as const)
        : ({ type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const);
    const [first = ''] = names;
    const { config, credentials: secrets } = configOf({
      providers: names.map((name) => provider(name, 'http://upstream.example/v1', { credentials })),
      routes: [route('chat', [ruleInOrder(names, { failover: failoverConfig({ maxAttempts: 100, ...differs }) })])],
      upstreamKeys: keyNames.map((name) => upstreamKey(name, first, `secret-${name}`)),
    });
    const snapshot = compileSnapshot(config, secrets);
    this.keys = snapshot.providers.get(`default/${first}`)?.keys ?? [];
    this.rule = ruleIn(snapshot, 'chat');
    this.plan = createPlan(this.rule, plainContext, this.present);
  }

  /** Places of all attempts, resends marked. */
  get places(): string[] {
    return this.attempts.map(({ place, isResend }) => (isResend ? `${place} again` : place));
  }

  nextScript(): Scripted {
    return this.scripts.shift() ?? 'next-backend';
  }

  sent(attempt: ScriptedAttempt): ScriptedAttempt {
    this.attempts.push(attempt);
    this.log.push(`send ${attempt.place}`);
    this.moment(`send ${attempt.place}`);
    return attempt;
  }

  run(scripts: readonly Scripted[], pinned = false): Promise<FailoverEnd<ScriptedAttempt>> {
    return this.search(scripts, pinned).run();
  }

  /** A search that may run several times. */
  search(scripts: readonly Scripted[], pinned = false): Failover<ScriptedAttempt> {
    this.scripts = [...scripts];
    return new Failover(this.plan, this.rule, pinned, this.controller.signal, this.#steps());
  }

  #steps(): FailoverSteps<ScriptedAttempt> {
    return {
      prepare: (visit) => this.prepare?.(visit),
      free: (accepts) => this.free?.(accepts) ?? false,
      send: ({ backend }, key) => this.sent(new ScriptedAttempt(this, placeOf(backend, key), this.nextScript())),
      nextKey: (visit, tried, other) => {
        const key = this.keysOf(visit).find((it) => !tried.has(it.id) && (other === undefined || it !== other));
        if (key !== undefined) this.given.push(placeOf(visit.backend, key));
        return key;
      },
      prepareKey: (_visit, key) => this.prepareKey?.(key),
      keyUnused: ({ backend }, key) => void this.unused.push(placeOf(backend, key)),
      judge: ({ attempt, retries, tried }) => {
        attempt.told.push('judged');
        this.log.push(`judge ${attempt.place} retries ${retries} keys ${tried.size}`);
        this.moment(`judge ${attempt.place}`);
        return { failure: failureOf('ServerError', { cause: attempt.place }), next: stepOf(attempt.script) };
      },
      succeeded: (_visit, _key, attempt) => void attempt.told.push('succeeded'),
      released: ({ backend }, key, attempt) => {
        this.released.push(placeOf(backend, key));
        attempt?.told.push('released');
      },
      mayGoOn: () => this.mayGoOn,
      mayOverride: () => this.overrides-- > 0,
      wait: async (ms) => {
        this.log.push(`wait ${ms}`);
        this.moment(`wait ${ms}`);
        await Promise.resolve();
      },
    };
  }
}

function placeOf({ name }: Backend, key: UpstreamKey | undefined): string {
  return key === undefined ? name : `${name} ${key.id.slice(key.id.indexOf('/') + 1)}`;
}

function stepOf(script: Scripted): NextStep {
  if (typeof script === 'object') return script;
  if (script === 'next-key') return { type: 'next-key', otherAccount: false };
  if (script === 'same-backend') return { type: 'same-backend', waitMs: 5 };
  if (script === 'again') return { type: 'again' };
  if (script === 'hang') return { type: 'next-backend' };
  return script === 'stop' ? { type: 'stop' } : { type: 'next-backend' };
}
