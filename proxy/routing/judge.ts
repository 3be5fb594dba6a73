// Gathers what a verdict needs, lets the pure rules decide, and records what they say: the one place where failures
// become disables. Before this a failure is a signal, after it the loop only follows the next step.

import type { Clock } from '../canonical/clock.ts';
import type { Failure, FailureSignal } from '../canonical/failure.ts';
import type { Backend, Rule, UpstreamKey } from '../config/snapshot.ts';
import type { Classify } from './classify.ts';
import { type Consequences, consequences, type Disabling } from './consequence.ts';
import { type KeysLeft, nextStep, retryWaitMs } from './disposition.ts';
import type { FailureCounter } from './failure-counter.ts';
import type { NextStep } from './failover-steps.ts';
import type { KeyHistories } from './key-history.ts';
import type { PoisonBook } from './poison.ts';
import type { RetryBudget } from './retry-budget.ts';
import { modelTarget } from './target.ts';
import { isLastResort, type Visit } from './visit.ts';

/** The part of the disable book that verdicts need. */
export interface DisableWriter {
  find(target: string): { readonly hard: boolean; readonly sinceMs: number } | undefined;
  disable(target: string, cause: Omit<Disabling, 'target'>): unknown;
  clear(target: string): void;
  settleTrial(target: string, succeeded: boolean, begunMs: number): void;
  /** Whether an attempt that began then is the target's trial (rule 21). */
  isTrial(target: string, begunMs: number): boolean;
  repeats(target: string): number;
}

/** What a judge is made of. */
export interface JudgeSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly classify: Classify;
  readonly disables: DisableWriter;
  readonly counter: FailureCounter;
  readonly poison: PoisonBook;
  readonly budget: RetryBudget;
  readonly keys: KeyHistories;
}

/** One attempt, as far as verdicts depend on it. */
export interface JudgedAttempt {
  readonly visit: Visit;
  readonly key: UpstreamKey | undefined;
  /** The model named to the upstream. */
  readonly model: string | undefined;
  /** Unix milliseconds. */
  readonly begunMs: number;
  /** The operation is one that we do not know: its bytes, and so its model, were the client's. */
  readonly relayed: boolean;
}

/** An attempt that failed. */
export interface FailedRequest extends JudgedAttempt {
  readonly signal: FailureSignal;
  readonly rule: Rule;
  readonly body: Uint8Array;
}

/** What a search still has when an attempt has failed. */
export interface RestOfSearch {
  /** Same-backend retries made so far. */
  readonly retries: number;
  readonly keysLeft: KeysLeft;
  /** Until the time for the whole request is over. */
  readonly leftMs: number;
}

/** Judges attempts. */
export interface Judge {
  /** Classifies a failure and records what it disables. */
  failed(attempt: FailedRequest): Failure;
  /** Classifies a failure that is held against nobody: what was refused can be left out. */
  excused(attempt: FailedRequest): Failure;
  /** What to try after a failure before content. */
  next(failure: Failure, attempt: FailedRequest, rest: RestOfSearch): NextStep;
  succeeded(attempt: JudgedAttempt): void;
  /** The attempt ended without a verdict: the client left, or the time was over. */
  released(attempt: Pick<JudgedAttempt, 'visit' | 'key' | 'begunMs'>): void;
  /** Counts a client's request, and takes an attempt on a disabled backend out of the budget (rule 3). */
  request(rule: Rule): void;
  mayOverride(rule: Rule): boolean;
}

/** Makes a judge. */
export function createJudge(settings: JudgeSettings): Judge {
  const { clock, random, classify, disables, counter, poison, budget, keys } = settings;
  const apply = ({ target, ...cause }: Disabling): unknown => disables.disable(target, cause);

  function excused({ visit, key, signal, relayed }: FailedRequest): Failure {
    const { type, credentials, baseURL } = visit.backend.provider.config;
    const hide = [new URL(baseURL).host, ...(key === undefined ? [] : [key.secret])];
    return classify(type, signal, { credentials: credentials.type, hide, relayed });
  }

  function failed(attempt: FailedRequest): Failure {
    const { key, rule } = attempt;
    const failure = excused(attempt);
    const { disable, count } = judgeConsequences(attempt, failure);
    // What a key was refused for with its former secret is not held against the new one.
    const isFormer = key !== undefined && !keys.isCurrent(key);
    for (const disabling of disable) if (!isFormer || !isOf(key, disabling)) apply(disabling);
    if (count !== undefined && counter.add(count.target, rule.failover.disable)) apply(count);
    if (key !== undefined && failure.class === 'Authentication') keys.refused(key);
    endTrials(disables, attempt, false);
    return failure;
  }

  function judgeConsequences(attempt: FailedRequest, failure: Failure): Consequences {
    const { visit, key, rule, model, body, begunMs } = attempt;
    const { backend } = visit;
    return consequences(
      failure,
      {
        backend: backend.target,
        key: key?.target,
        model,
        modelOfBackend: backend.model !== undefined && !attempt.relayed,
        credentials: backend.provider.config.credentials.type,
        keyHistory: keys.of(key),
        trial: !isLastResort(visit) && disables.isTrial(backend.target, begunMs),
        early: visit.early,
        poisoned: failure.status === 500 && poison.record(body, backend.id),
        nowMs: clock.now(),
        repeats: (target) => disables.repeats(target),
      },
      rule.failover,
    );
  }

  return {
    failed,
    excused,
    next(failure, { visit, rule }, { retries, keysLeft, leftMs }) {
      // Keys before everything else: another one costs no wait.
      const step = nextStep(failure, rule.failover, keysLeft);
      if (step.type === 'next-key') return step;
      const waitMs = retryWaitMs(failure, rule.failover.retry, retries, random);
      if (waitMs !== undefined && waitMs < leftMs && budget.take(rule.id, rule.failover.retryBudgetPercent)) {
        return { type: 'same-backend', waitMs };
      }
      if (step.type !== 'next-backend' || !step.largerContext) return step;
      return { type: 'next-backend', accepts: (other) => hasLargerContext(other, visit.backend) };
    },
    succeeded(attempt) {
      const { visit, key, model, begunMs } = attempt;
      if (key !== undefined) keys.worked(key);
      const targets = [visit.backend.target, ...(key === undefined ? [] : [key.target])];
      for (const target of targets) enable(disables, target, visit.disabled, begunMs);
      if (model !== undefined)
        for (const target of targets) enable(disables, modelTarget(target, model), visit.disabled, begunMs);
      endTrials(disables, attempt, true);
    },
    released: (attempt) => endTrials(disables, attempt, false),
    request: (rule) => budget.request(rule.id),
    mayOverride: (rule) => budget.take(rule.id, rule.failover.retryBudgetPercent),
  };
}

/** Rule 4: what works although it was disabled is enabled everywhere; what began before the disable says nothing. */
function enable(disables: DisableWriter, target: string, knowingly: boolean, begunMs: number): void {
  const entry = disables.find(target);
  if (entry === undefined || entry.hard) return;
  if (entry.sinceMs < begunMs || (knowingly && entry.sinceMs === begunMs)) disables.clear(target);
}

function isOf({ target: key }: UpstreamKey, { target }: Disabling): boolean {
  return target === key || target.startsWith(modelTarget(key, ''));
}

/** What an attempt says of the trials of its backend and key. */
function endTrials(disables: DisableWriter, attempt: Parameters<Judge['released']>[0], succeeded: boolean): void {
  const { visit, key, begunMs } = attempt;
  // Beside the trial of somebody else nothing is found out but that it works.
  if (!succeeded && isLastResort(visit)) return;
  endTrial(disables, visit.backend.target, succeeded, begunMs);
  if (key !== undefined) endTrial(disables, key.target, succeeded, begunMs);
}

/** Rule 21; whoever has found out that something works again has found it out for everybody. */
function endTrial(disables: DisableWriter, target: string, succeeded: boolean, begunMs: number): void {
  if (succeeded && disables.isTrial(target, begunMs)) disables.clear(target);
  else disables.settleTrial(target, succeeded, begunMs);
}

/** Only a declared context can be known to be larger. */
function hasLargerContext(other: Backend, than: Backend): boolean {
  const tokens = other.modelConfig?.maxContextTokens;
  return tokens !== undefined && tokens > (than.modelConfig?.maxContextTokens ?? 0);
}
