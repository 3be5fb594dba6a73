// Plan and attempts of one request: binds the failover loop to what sends, judges and picks.

import type { Observer, Trail } from '../accounting/trail.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Balancer } from '../balancing/balancer.ts';
import type { Principal, Rule, UpstreamKey } from '../config/snapshot.ts';
import { Availability, type Disables, isOtherAccount } from '../routing/availability.ts';
import { type FailoverEnd, failover } from '../routing/failover.ts';
import type { Judge, JudgedAttempt } from '../routing/judge.ts';
import { createPinnedPlan, createPlan, type Plan, type PlanFacts, type Visit } from '../routing/plan.ts';
import type { ProxyRequest } from './decode.ts';
import { sendAttempt, type SendSettings, type SentAttempt } from './send.ts';

/** What searching needs. */
export interface SearchSettings extends SendSettings {
  readonly disables: Disables;
  readonly balancer: Balancer;
  readonly judge: Judge;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The end of a search; the plan says when trying again makes sense. */
export interface SearchEnd {
  readonly end: FailoverEnd<SentAttempt>;
  readonly plan: Plan;
}

/** Looks for a backend that answers. Throws ClientError where the client's own wish cannot be met. */
export async function search(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  trail: Trail,
  settings: SearchSettings,
): Promise<SearchEnd> {
  const { clock, judge, observer } = settings;
  const availability = new Availability(settings.disables, clock, request.model);
  const plan = createPlanFor(request, rule, principal, availability, settings.balancer);
  if (plan.isEmpty()) throw new ClientError('no_backend');
  const deadlineAtMs = trail.startedAtMs + rule.totalMs;
  const ended = (attempt: SentAttempt): void => endAttempt(trail, attempt, clock, observer);
  judge.request(rule);
  const end = await failover(plan, rule, request.pin !== undefined, request.exchange.signal, {
    send: (visit, key) => sendAttempt(request, visit, key, trail, rule, deadlineAtMs, settings),
    nextKey: (visit, tried, other) => nextKey(visit, tried, other, availability, settings.balancer),
    judge({ visit, key, attempt, signal, retries, tried }) {
      const failed = { ...judged(request, visit, key, attempt), signal, rule, body: request.exchange.body };
      const failure = judge.failed(failed);
      attempt.record.failure = failure;
      ended(attempt);
      const keysLeft = availability.keysLeft(visit.backend, tried, key);
      return { failure, next: judge.next(failure, failed, { retries, keysLeft, leftMs: deadlineAtMs - clock.now() }) };
    },
    succeeded(visit, key, attempt) {
      judge.succeeded(judged(request, visit, key, attempt));
      const { firstContentAtMs } = attempt.answer;
      if (firstContentAtMs !== undefined) attempt.record.firstContentAtMs = firstContentAtMs;
      attempt.record.status = attempt.answer.status;
    },
    released(visit, key, attempt) {
      judge.released({ visit, key, begunMs: attempt?.record.startedAtMs ?? clock.now() });
      if (attempt !== undefined) ended(attempt);
    },
    mayOverride: () => judge.mayOverride(rule),
    wait: settings.wait,
  });
  return { end, plan };
}

/** An attempt as the judge sees it. */
export function judged(
  { operation }: ProxyRequest,
  visit: Visit,
  key: UpstreamKey | undefined,
  { record }: SentAttempt,
): JudgedAttempt {
  const relayed = operation.protocol === 'relay';
  return { visit, key, model: record.model, begunMs: record.startedAtMs, relayed };
}

/** Closes an attempt's record, once. */
export function endAttempt(
  trail: Trail,
  { record, answer }: SentAttempt,
  clock: Clock,
  observer: Required<Observer>,
): void {
  if (record.endedAtMs !== undefined) return;
  record.endedAtMs = clock.now();
  if (answer.status !== 0) record.status = answer.status;
  observer.attemptEnded(trail, record);
}

function createPlanFor(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  availability: Availability,
  balancer: Balancer,
): Plan {
  const { exchange, pin } = request;
  const context = {
    headers: exchange.headers,
    path: exchange.path,
    model: request.model,
    stream: request.stream,
    principal,
  };
  const facts: PlanFacts = {
    disabledUntil: (backend) => availability.disabledUntil(backend),
    isHard: (backend) => availability.isHard(backend),
    claim: (backend) => availability.claim(backend),
    pick: (tier, of, eligible) => balancer.pick(tier, of, eligible),
  };
  if (pin === undefined) return createPlan(rule, context, facts);
  if (pin.kind === 'left-out' || pin.excluded) throw new ClientError('no_backend');
  const { candidate } = pin;
  if (candidate.kind === 'backend' && availability.isHard(candidate)) throw new ClientError('backend_disabled');
  return createPinnedPlan(pin, context, facts);
}

function nextKey(
  visit: Visit,
  tried: ReadonlySet<string>,
  accountOtherThan: UpstreamKey | undefined,
  availability: Availability,
  balancer: Balancer,
): UpstreamKey | undefined {
  let eligible = availability.keys(visit.backend, visit.disabled).filter((key) => !tried.has(key.id));
  if (accountOtherThan !== undefined) eligible = eligible.filter((key) => isOtherAccount(key, accountOtherThan));
  while (eligible.length > 0) {
    const key = balancer.pickKey(visit.backend.provider, eligible);
    if (availability.claimKey(key)) return key;
    eligible = eligible.filter((other) => other !== key);
  }
  return undefined;
}
