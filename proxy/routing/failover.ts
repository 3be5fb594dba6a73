// Finds a backend that answers: keys before backends, tiers before lower tiers, within every limit. Everything here
// happens before the client has got any content; what comes after is relayed and never retried.

import type { AttemptOutcome } from '../canonical/attempt.ts';
import type { Failure } from '../canonical/failure.ts';
import type { Backend, Rule, UpstreamKey } from '../config/snapshot.ts';
import type { Attempt, FailoverEnd, FailoverSteps } from './failover-steps.ts';
import type { Visits } from './plan.ts';
import { isLastResort, type Visit } from './visit.ts';

/** All upstream requests of one client request, whatever the pools hold (failure.md, rule 1). */
const sendsMax = 16;

type Key = UpstreamKey | undefined;

type VisitEnd<A> =
  | Exclude<FailoverEnd<A>, { type: 'exhausted' }>
  | { readonly type: 'next' }
  | { readonly type: 'stop' };

/** A visit under way. Where two are, the first content of one ends the other. */
interface Errand<A extends Attempt> {
  /** What is waited for now. */
  current: A | undefined;
  rival: Errand<A> | undefined;
  /** The rival has answered: whatever comes of this one is of no use. */
  beaten: boolean;
}

/** One request's search. Attempts are counted over all of its runs. */
export class Failover<A extends Attempt> {
  readonly #plan: Visits;
  readonly #rule: Rule;
  readonly #pinned: boolean;
  readonly #signal: AbortSignal;
  readonly #steps: FailoverSteps<A>;
  readonly #failures: Failure[] = [];
  readonly #underWay = new Set<Errand<A>>();
  /** Of backends that were only tried to see whether they work again: the client hears of them if of nothing else. */
  readonly #earlyFailures: Failure[] = [];
  #attempts = 0;
  #sends = 0;
  #empty: { readonly attempt: A; readonly visit: Visit } | undefined;
  #accepts: ((backend: Backend) => boolean) | undefined;

  constructor(plan: Visits, rule: Rule, pinned: boolean, signal: AbortSignal, steps: FailoverSteps<A>) {
    this.#plan = plan;
    this.#rule = rule;
    this.#pinned = pinned;
    this.#signal = signal;
    this.#steps = steps;
  }

  /**
   * Searches, and goes on with what is left of the plan where an earlier run's answer broke. `accepts` narrows down who may
   * take over. Resolves in every case; rejects only on faults of our own.
   */
  async run(accepts?: (backend: Backend) => boolean): Promise<FailoverEnd<A>> {
    this.#accepts = accepts ?? this.#accepts;
    const stop = (): void => {
      for (const { current } of this.#underWay) current?.abort();
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#search();
    } catch (error) {
      // Nobody waits any more for what another visit may find.
      stop();
      throw error;
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }

  async #search(): Promise<FailoverEnd<A>> {
    do {
      const end = await this.#visits();
      if (end !== undefined) return end;
    } while (this.#fallBack());
    if (this.#signal.aborted) return { type: 'aborted' };
    const failures = this.#failures.length > 0 ? this.#failures : this.#earlyFailures;
    return { type: 'exhausted', failures, empty: this.#empty };
  }

  /** Whether there is a route of its own for what happened last. */
  #fallBack(): boolean {
    const last = this.#failures.at(-1)?.class;
    if (this.#spent() || (last !== 'ContextLength' && last !== 'ContentFilter')) return false;
    const fallsBack = this.#plan.fallBack(last);
    // It is for the route to say whose context is large enough.
    if (fallsBack) this.#accepts = undefined;
    return fallsBack;
  }

  /** Undefined: nobody is left who could do better. */
  async #visits(): Promise<Exclude<FailoverEnd<A>, { type: 'exhausted' }> | undefined> {
    while (!this.#spent()) {
      const freeing = this.#steps.free?.(this.#accepts) ?? false;
      const isAnybodyFree = typeof freeing === 'boolean' ? freeing : await freeing;
      if (this.#signal.aborted) break;
      const enabled = this.#plan.next(this.#accepts);
      // Whoever came first cannot be asked after all: perhaps those can who came next.
      if (enabled === undefined && isAnybodyFree) continue;
      const visit = enabled ?? this.#nextDisabled();
      if (visit === undefined) break;
      const end = await this.#hedged(visit);
      if (end.type === 'stop') break;
      if (end.type !== 'next') return end;
    }
    return undefined;
  }

  #spent(): boolean {
    return this.#attempts >= this.#rule.failover.maxAttempts || this.#sends >= sendsMax || this.#signal.aborted;
  }

  #nextDisabled(): Visit | undefined {
    if (this.#pinned) return this.#plan.nextDisabled(this.#accepts);
    if (this.#rule.failover.whenAllDisabled === 'Fail') return undefined;
    const disabled = this.#plan.nextDisabled(this.#accepts);
    return disabled === undefined || this.#steps.mayOverride() ? disabled : undefined;
  }

  /** A visit that is slow to begin is joined by another one, where the rule says so. */
  async #hedged(visit: Visit): Promise<VisitEnd<A>> {
    const { hedgeSeconds } = this.#rule.failover;
    const errand = newErrand<A>();
    // Before the time for the hedge begins: nothing that is got here says that the backend is slow.
    const preparing = this.#steps.prepare?.(visit);
    if (preparing !== undefined && !(await this.#prepared(preparing, visit, errand))) return { type: 'next' };
    const slow = this.#visit(visit, errand);
    if (hedgeSeconds === undefined) return slow;
    const early = await this.#within(hedgeSeconds * 1000, slow);
    if (early !== undefined) return early;
    const other = this.#hedge();
    if (other === undefined) return slow;
    const rival = newErrand<A>();
    errand.rival = rival;
    rival.rival = errand;
    return this.#firstOf(slow, this.#join(other, rival));
  }

  async #join(visit: Visit, errand: Errand<A>): Promise<VisitEnd<A>> {
    const preparing = this.#steps.prepare?.(visit);
    if (preparing !== undefined && !(await this.#prepared(preparing, visit, errand))) return { type: 'next' };
    return this.#visit(visit, errand);
  }

  /** Whether the visit can be made. One that cannot is no attempt: nobody was asked. */
  async #prepared(preparing: Promise<boolean>, visit: Visit, errand: Errand<A>): Promise<boolean> {
    if ((await preparing) && !this.#signal.aborted && !errand.beaten) return true;
    this.#steps.released(visit, undefined, undefined);
    return false;
  }

  /** Undefined: the visit goes on after so many milliseconds. */
  async #within(ms: number, visit: Promise<VisitEnd<A>>): Promise<VisitEnd<A> | undefined> {
    const timer = new AbortController();
    try {
      const end = await Promise.race([visit, this.#steps.wait(ms, timer.signal)]);
      return end ?? undefined;
    } finally {
      timer.abort();
    }
  }

  /** Somebody enabled to ask as well, within the budget: extra load must stay a share of what there is. */
  #hedge(): Visit | undefined {
    if (this.#spent() || !this.#plan.hasNext(this.#accepts) || !this.#steps.mayOverride()) return undefined;
    return this.#plan.next(this.#accepts);
  }

  /** The end of two visits: what one of them has found, or else what the one that ends last says. */
  async #firstOf(slow: Promise<VisitEnd<A>>, hedge: Promise<VisitEnd<A>>): Promise<VisitEnd<A>> {
    const [first, other] = await Promise.race([
      slow.then((end) => [end, hedge] as const),
      hedge.then((end) => [end, slow] as const),
    ]);
    const decides = first.type === 'committed' || first.type === 'deadline' || this.#signal.aborted;
    if (decides) return first;
    const last = await other;
    // What one has found to be in vain is in vain everywhere, unless the other has an answer.
    return last.type === 'next' ? first : last;
  }

  async #visit(visit: Visit, errand: Errand<A>): Promise<VisitEnd<A>> {
    this.#underWay.add(errand);
    try {
      return await this.#tryKeys(visit, errand);
    } finally {
      this.#underWay.delete(errand);
    }
  }

  async #tryKeys(visit: Visit, errand: Errand<A>): Promise<VisitEnd<A>> {
    const tried = new Set<string>();
    let retries = 0;
    let key = this.#key(visit, tried);
    let wasSent = false;
    let sentWith: Key;
    let wasJudged = false;
    for (;;) {
      // Whoever asks once more with the same key has had its turn.
      const turn =
        key === 'none' || key === undefined || key === sentWith ? undefined : this.#steps.prepareKey?.(visit, key);
      if (turn !== undefined) {
        const next = (await turn)
          ? this.#goOn(visit, key, tried, errand, wasSent)
          : this.#nextKey(visit, tried, errand, wasSent);
        const isSame = next === key;
        key = next;
        if (!isSame) continue;
      }
      if (key === 'none') {
        if (!wasJudged) this.#steps.released(visit, undefined, undefined);
        // Somebody else may be trying its keys: it is left to be asked as if it was disabled, like those that are on trial.
        if (!wasSent && !isLastResort(visit)) this.#plan.skip(visit);
        return { type: 'next' };
      }
      if (!wasSent && !visit.early) this.#attempts += 1;
      wasSent = true;
      sentWith = key;
      const { attempt, outcome } = await this.#send(visit, key, errand);
      const end = this.#end(visit, key, attempt, outcome, errand);
      if (end !== undefined) return end;
      if (outcome.type !== 'failed' && outcome.type !== 'empty') throw new Error(`no verdict on ${outcome.type}`);
      if (outcome.type === 'empty') this.#empty ??= { attempt, visit };
      const { failure, next } = this.#steps.judge({ visit, key, attempt, signal: outcome.signal, retries, tried });
      if (visit.early && next.type !== 'again') {
        // Whatever it was: the request goes on as if it had not been tried here.
        this.#earlyFailures.push(failure);
        return { type: 'next' };
      }
      wasJudged = next.type !== 'again';
      if (wasJudged) this.#failures.push(failure);
      switch (next.type) {
        case 'stop':
          return { type: 'stop' };
        case 'next-backend':
          this.#accepts = next.accepts ?? this.#accepts;
          return { type: 'next' };
        case 'next-key':
          if (this.#sends >= sendsMax) return { type: 'stop' };
          key = this.#nextKey(visit, tried, errand, wasSent, next.otherAccount ? key : undefined);
          continue;
        case 'again':
          if (this.#sends >= sendsMax) return { type: 'stop' };
          break;
        case 'same-backend':
          if (this.#spent()) return { type: 'next' };
          retries += 1;
          this.#attempts += 1;
          await this.#steps.wait(next.waitMs, this.#signal);
          if (this.#signal.aborted || errand.beaten) return { type: 'aborted' };
      }
      key = this.#goOn(visit, key, tried, errand);
    }
  }

  /** What ends a visit without a verdict on its backend; undefined if the attempt has failed. */
  #end(
    visit: Visit,
    key: UpstreamKey | undefined,
    attempt: A,
    outcome: AttemptOutcome,
    errand: Errand<A>,
  ): VisitEnd<A> | undefined {
    if (errand.beaten) {
      attempt.abort();
      this.#steps.released(visit, key, attempt);
      return { type: 'aborted' };
    }
    switch (outcome.type) {
      case 'committed':
        beat(errand.rival);
        this.#steps.succeeded(visit, key, attempt);
        return { type: 'committed', attempt, visit };
      case 'aborted':
        this.#steps.released(visit, key, attempt);
        return outcome;
      case 'deadline':
        this.#steps.released(visit, key, attempt);
        return { type: 'deadline', failures: this.#failures };
      case 'failed':
      case 'empty':
        return undefined;
    }
  }

  /** The key for the next request of a visit that has waited, `none` where the visit is over. */
  #goOn(visit: Visit, key: Key | 'none', tried: Set<string>, errand: Errand<A>, wasSent = true): Key | 'none' {
    if (key === 'none') return 'none';
    const answer = this.#mayGoOn(visit, key, errand, wasSent);
    if (answer === 'yes') return key;
    if (key !== undefined) this.#steps.keyUnused(visit, key);
    return answer === 'no' ? 'none' : this.#key(visit, tried);
  }

  /** Another key of a visit that goes on. */
  #nextKey(
    visit: Visit,
    tried: Set<string>,
    errand: Errand<A>,
    wasSent: boolean,
    accountOtherThan?: Key,
  ): Key | 'none' {
    if (this.#mayGoOn(visit, undefined, errand, wasSent) === 'no') return 'none';
    return this.#key(visit, tried, accountOtherThan);
  }

  #mayGoOn(visit: Visit, key: Key, errand: Errand<A>, wasSent: boolean): 'yes' | 'with another key' | 'no' {
    return this.#signal.aborted || errand.beaten ? 'no' : this.#steps.mayGoOn(visit, key, wasSent);
  }

  /** Sends, and sends once more if the connection turned out to have been dead all along. */
  async #send(
    visit: Visit,
    key: UpstreamKey | undefined,
    errand: Errand<A>,
  ): Promise<{ attempt: A; outcome: AttemptOutcome }> {
    let attempt = this.#steps.send(visit, key);
    let outcome = await this.#outcomeOf(attempt, errand);
    if (outcome.type === 'failed' && outcome.staleSocket) {
      attempt = attempt.resend();
      outcome = await this.#outcomeOf(attempt, errand);
    }
    this.#sends += 1;
    return { attempt, outcome };
  }

  async #outcomeOf(attempt: A, errand: Errand<A>): Promise<AttemptOutcome> {
    errand.current = attempt;
    if (this.#signal.aborted || errand.beaten) attempt.abort();
    const outcome = await attempt.outcome;
    errand.current = undefined;
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

function newErrand<A extends Attempt>(): Errand<A> {
  return { current: undefined, rival: undefined, beaten: false };
}

/** At once: what nobody waits for any more is not to be paid for. */
function beat(errand: Errand<Attempt> | undefined): void {
  if (errand === undefined) return;
  errand.beaten = true;
  errand.current?.abort();
}
