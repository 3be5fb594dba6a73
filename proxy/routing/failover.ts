// Finds a backend that answers: keys before backends, tiers before lower tiers, within every limit. Everything here
// happens before the client has got any content; what comes after is relayed and never retried.

import type { AttemptOutcome } from '../canonical/attempt.ts';
import type { Failure, FailureSignal } from '../canonical/failure.ts';
import type { Backend, Rule, UpstreamKey } from '../config/snapshot.ts';
import type { Plan, Visit } from './plan.ts';

/** All upstream requests of one client request, whatever the pools hold (failure.md, rule 1). */
const sendsMax = 16;

/** One request that was sent, and the way to stop it. */
export interface Attempt {
  readonly outcome: Promise<AttemptOutcome>;
  abort(): void;
  /** The same once more, on a fresh connection: the one it was sent on had been dead all along. */
  resend(): this;
}

/** What is to be done after a failure. */
export type NextStep =
  | { readonly type: 'same-backend'; readonly waitMs: number }
  | { readonly type: 'next-key'; readonly otherAccount: boolean }
  | {
      readonly type: 'next-backend';
      readonly accepts?: (backend: Backend) => boolean;
      readonly largerContext?: boolean;
    }
  | { readonly type: 'stop' };

/** What the loop asks of the rest of the proxy. `A` is whatever the pipeline relays in the end. */
export interface FailoverSteps<A extends Attempt> {
  readonly send: (visit: Visit, key: UpstreamKey | undefined) => A;
  /** Keys that may be tried at this backend, one at a time; asked again after each failure. */
  readonly nextKey: (
    visit: Visit,
    tried: ReadonlySet<string>,
    accountOtherThan?: UpstreamKey,
  ) => UpstreamKey | undefined;
  /** Judges a failure, records what it disables, and says what next. */
  readonly judge: (facts: FailedAttempt<A>) => { readonly failure: Failure; readonly next: NextStep };
  readonly succeeded: (visit: Visit, key: UpstreamKey | undefined, attempt: A) => void;
  /** The visit ended without a verdict on its backend; no attempt where there was no key for one. */
  readonly released: (visit: Visit, key: UpstreamKey | undefined, attempt: A | undefined) => void;
  /** Whether an attempt on a disabled backend is within the budget (rule 3). */
  readonly mayOverride: () => boolean;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** An attempt that failed, and where the request stands. */
export interface FailedAttempt<A> {
  readonly visit: Visit;
  readonly key: UpstreamKey | undefined;
  readonly attempt: A;
  readonly signal: FailureSignal;
  /** Same-backend retries made during this visit. */
  readonly retries: number;
  /** Keys of the pool that this visit has tried. */
  readonly tried: ReadonlySet<string>;
}

/** How the search ended. */
export type FailoverEnd<A> =
  | { readonly type: 'committed'; readonly attempt: A; readonly visit: Visit }
  /** Nothing answered. `empty` is a whole answer with nothing in it, to be relayed for want of a better. */
  | {
      readonly type: 'exhausted';
      readonly failures: readonly Failure[];
      readonly empty: { readonly attempt: A; readonly visit: Visit } | undefined;
    }
  | { readonly type: 'deadline'; readonly failures: readonly Failure[] }
  | { readonly type: 'aborted' };

/** Runs the search. Resolves in every case; rejects only on faults of our own. */
export async function failover<A extends Attempt>(
  plan: Plan,
  rule: Rule,
  pinned: boolean,
  signal: AbortSignal,
  steps: FailoverSteps<A>,
): Promise<FailoverEnd<A>> {
  const search = new Search(plan, rule, pinned, signal, steps);
  const stop = (): void => search.abort();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await search.run();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

type VisitEnd<A> =
  | Exclude<FailoverEnd<A>, { type: 'exhausted' }>
  | { readonly type: 'next' }
  | { readonly type: 'stop' };

class Search<A extends Attempt> {
  readonly #plan: Plan;
  readonly #rule: Rule;
  readonly #pinned: boolean;
  readonly #signal: AbortSignal;
  readonly #steps: FailoverSteps<A>;
  readonly #failures: Failure[] = [];
  #attempts = 0;
  #sends = 0;
  #current: A | undefined;
  #empty: { readonly attempt: A; readonly visit: Visit } | undefined;
  #accepts: ((backend: Backend) => boolean) | undefined;

  constructor(plan: Plan, rule: Rule, pinned: boolean, signal: AbortSignal, steps: FailoverSteps<A>) {
    this.#plan = plan;
    this.#rule = rule;
    this.#pinned = pinned;
    this.#signal = signal;
    this.#steps = steps;
  }

  abort(): void {
    this.#current?.abort();
  }

  async run(): Promise<FailoverEnd<A>> {
    while (!this.#spent()) {
      const visit = this.#nextVisit();
      if (visit === undefined) break;
      const end = await this.#visit(visit);
      if (end.type === 'stop') break;
      if (end.type !== 'next') return end;
    }
    if (this.#signal.aborted) return { type: 'aborted' };
    return { type: 'exhausted', failures: this.#failures, empty: this.#empty };
  }

  #spent(): boolean {
    return this.#attempts >= this.#rule.failover.maxAttempts || this.#sends >= sendsMax || this.#signal.aborted;
  }

  #nextVisit(): Visit | undefined {
    const visit = this.#plan.next(this.#accepts);
    if (visit !== undefined) return visit;
    if (this.#pinned) return this.#plan.nextDisabled(this.#accepts);
    if (this.#rule.failover.whenAllDisabled === 'Fail') return undefined;
    const disabled = this.#plan.nextDisabled(this.#accepts);
    return disabled === undefined || this.#steps.mayOverride() ? disabled : undefined;
  }

  async #visit(visit: Visit): Promise<VisitEnd<A>> {
    const tried = new Set<string>();
    let retries = 0;
    let key = this.#key(visit, tried);
    if (key === 'none') this.#steps.released(visit, undefined, undefined);
    else this.#attempts += 1;
    for (;;) {
      if (key === 'none') return { type: 'next' };
      const { attempt, outcome } = await this.#send(visit, key);
      if (outcome.type === 'committed') {
        this.#steps.succeeded(visit, key, attempt);
        return { type: 'committed', attempt, visit };
      }
      if (outcome.type === 'aborted' || outcome.type === 'deadline') {
        this.#steps.released(visit, key, attempt);
        return outcome.type === 'aborted' ? outcome : { type: 'deadline', failures: this.#failures };
      }
      if (outcome.type === 'empty') this.#empty ??= { attempt, visit };
      const { failure, next } = this.#steps.judge({ visit, key, attempt, signal: outcome.signal, retries, tried });
      this.#failures.push(failure);
      switch (next.type) {
        case 'stop':
          return { type: 'stop' };
        case 'next-backend':
          this.#accepts = next.accepts ?? this.#accepts;
          return { type: 'next' };
        case 'next-key':
          if (this.#sends >= sendsMax) return { type: 'stop' };
          key = this.#key(visit, tried, next.otherAccount && key !== undefined ? key : undefined);
          break;
        case 'same-backend':
          if (this.#spent()) return { type: 'next' };
          retries += 1;
          this.#attempts += 1;
          await this.#steps.wait(next.waitMs, this.#signal);
          if (this.#signal.aborted) return { type: 'aborted' };
      }
    }
  }

  /** Sends, and sends once more if the connection turned out to have been dead all along. */
  async #send(visit: Visit, key: UpstreamKey | undefined): Promise<{ attempt: A; outcome: AttemptOutcome }> {
    let attempt = this.#steps.send(visit, key);
    let outcome = await this.#outcomeOf(attempt);
    if (outcome.type === 'failed' && outcome.staleSocket) {
      attempt = attempt.resend();
      outcome = await this.#outcomeOf(attempt);
    }
    this.#sends += 1;
    return { attempt, outcome };
  }

  async #outcomeOf(attempt: A): Promise<AttemptOutcome> {
    this.#current = attempt;
    if (this.#signal.aborted) attempt.abort();
    const outcome = await attempt.outcome;
    this.#current = undefined;
    return outcome;
  }

  #key(visit: Visit, tried: Set<string>, accountOtherThan?: UpstreamKey): UpstreamKey | undefined | 'none' {
    if (visit.backend.provider.config.credentials.type !== 'KeyPool') return tried.size === 0 ? undefined : 'none';
    const key = this.#steps.nextKey(visit, tried, accountOtherThan);
    if (key === undefined) return 'none';
    tried.add(key.id);
    return key;
  }
}
