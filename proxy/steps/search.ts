// Plan and attempts of one request: binds the failover loop to what sends, judges and picks.

import type { Observer, Trail } from '../accounting/trail.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Balancer } from '../balancing/balancer.ts';
import { fullRestMs } from '../balancing/concurrency.ts';
import type { PickContext } from '../balancing/picker.ts';
import type { Failure } from '../canonical/failure.ts';
import type { Backend, Principal, Rule, UpstreamKey } from '../config/snapshot.ts';
import { divergence } from '../protocols/continuation.ts';
import { Availability, type Disables, isOtherAccount } from '../routing/availability.ts';
import { Failover } from '../routing/failover.ts';
import type { FailedAttempt, FailoverEnd, Verdict } from '../routing/failover-steps.ts';
import { isForeignThinking } from '../routing/foreign-thinking.ts';
import type { FailedRequest, Judge, JudgedAttempt } from '../routing/judge.ts';
import { createPinnedPlan, createPlan, type Plan, type Visits } from '../routing/plan.ts';
import type { PlanFacts } from '../routing/plan-parts.ts';
import type { Trials } from '../routing/trials.ts';
import { isLastResort, type Visit } from '../routing/visit.ts';
import type { ProxyRequest } from './decode.ts';
import { inNeutralWords } from './neutral-words.ts';
import { laneOf } from './outgoing.ts';
import { orderByPlugins, type PluginOrdersSettings } from './plugin-orders.ts';
import { Prospects } from './prospects.ts';
import { RequestContext } from './request-context.ts';
import type { ResolveSources } from './sources.ts';
import type { Journey } from './journey.ts';
import { suitPlan } from './suited-plan.ts';
import { sendAttempt, type SendSettings, type SentAttempt } from './send.ts';
import { Room, type RoomLimits } from './room.ts';
import { type SlotPlan, withSlots } from './slot-plan.ts';
import type { Slots } from './slots.ts';
import { RequestTranslation } from './translation.ts';
import { toPeriodMs, Trying } from './trying.ts';

/** What searching needs. */
export interface SearchSettings extends SendSettings, PluginOrdersSettings {
  readonly disables: Disables;
  readonly balancer: Balancer;
  /** Backends that refuse are sent no more than they take; left out, none is limited. */
  readonly limits?: RoomLimits | undefined;
  readonly judge: Judge;
  readonly trials: Trials;
  readonly slots: Slots;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly resolveSources: ResolveSources;
  /** Hears of faults of our own: throws that are no ClientError. */
  readonly unexpected: (error: unknown, requestId: string) => void;
}

/** Narrows down who may answer. */
type Accepts = ((backend: Backend) => boolean) | undefined;

/** The end of a search; the plan says when trying again makes sense. */
export interface SearchEnd {
  readonly end: FailoverEnd<SentAttempt> | LocalEnd;
  readonly plan: Visits;
  readonly journey: Journey;
  /** Goes on where an answer broke, with what is left of the plan. */
  readonly goOn: (accepts: Accepts) => Promise<FailoverEnd<SentAttempt>>;
}

/** No upstream has to be asked, or none has the operation: the answer is made here. */
export interface LocalEnd {
  readonly type: 'local';
  readonly body: Buffer;
}

/** Looks for a backend that answers. Throws ClientError where the client's own wish cannot be met. */
export async function search(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  trail: Trail,
  settings: SearchSettings,
): Promise<SearchEnd> {
  const { clock, judge, observer, balancer, trials, limits } = settings;
  const availability = new Availability(settings.disables, clock, request.model);
  const translation = new RequestTranslation(request);
  const context = new RequestContext(request, principal, clock);
  const balancing = { balancer, context, trials, room: new Room(limits) };
  const deadlineAtMs = trail.startedAtMs + rule.totalMs;
  const plan = suitPlan(createPlanFor(request, rule, principal, availability, balancing), rule, request);
  const journey: Journey = { request, trail, rule, deadlineAtMs, translation };
  const slotted = withSlots(plan, journey, settings);
  const prospects = new Prospects(slotted ?? plan, {
    request,
    translation,
    nowMs: clock.now(),
    deadlineAtMs,
    resolveSources: settings.resolveSources,
    continues: () => journey.succession !== undefined,
    release: (visit) => judge.released({ visit, key: undefined, begunMs: clock.now() }),
  });
  if (prospects.isEmpty()) throw new ClientError('no_backend');
  judge.request(rule);
  const trying = new Trying({ trials, availability, plan: prospects, rule });
  const preparation = { trying, prospects, slotted, availability };
  const search = new Failover<SentAttempt>(prospects, rule, request.pin !== undefined, request.exchange.signal, {
    free(accepts) {
      if (prospects.local !== undefined) return false;
      const ordered = orderByPlugins(plan, request, principal, context, settings);
      const free = (): Promise<boolean> | boolean => slotted?.free(accepts) ?? false;
      return ordered === undefined ? free() : ordered.then(free);
    },
    prepare: (visit) => prepare(visit, preparation),
    send: (visit, key) => sendAttempt(journey, visit, key, settings),
    nextKey: (visit, tried, other) => nextKey(visit, tried, other, availability, balancing),
    prepareKey: (visit, key) => trying.beginKey(visit, key),
    keyUnused: (_visit, key) => trying.dropKey(key),
    mayGoOn: (visit, key, wasSent) => mayGoOn(visit, key, wasSent, preparation),
    judge: (failed) => judgeFailed(failed, { journey, trying, availability, settings }),
    succeeded(visit, key, attempt) {
      judge.succeeded(judged(request, visit, key, attempt));
      trying.end(visit, key, 'succeeded');
      slotted?.served(visit);
      noteContent(trail, attempt, observer);
    },
    released(visit, key, attempt) {
      judge.released({ visit, key, begunMs: attempt?.record.startedAtMs ?? clock.now() });
      trying.end(visit, key, attempt === undefined ? 'unused' : 'abandoned');
      if (attempt !== undefined) endAttempt(trail, attempt, clock, observer);
    },
    mayOverride: () => judge.mayOverride(rule),
    wait: settings.wait,
  });
  const run = trying.around((accepts: Accepts) => search.run(accepts));
  const end = await concluded(await run(undefined), prospects, balancing.room, slotted?.busy === true);
  return { end, plan: prospects, journey, goOn: run };
}

/** What judging needs beside the attempt. */
interface Judging {
  readonly journey: Journey;
  readonly trying: Trying;
  readonly availability: Availability;
  readonly settings: SearchSettings;
}

function judgeFailed(
  { visit, key, attempt, signal, retries, tried }: FailedAttempt<SentAttempt>,
  { journey, trying, availability, settings: { judge, clock, observer } }: Judging,
): Verdict {
  const { request, trail, rule, deadlineAtMs, translation } = journey;
  const failed = { ...judged(request, visit, key, attempt), signal, rule, body: request.exchange.body };
  const excused = excuse(journey, attempt, failed, judge);
  if (excused !== undefined) {
    endAttempt(trail, attempt, clock, observer);
    return excused;
  }
  const mended = isForeignThinking(signal) && translation.forgetThinking(visit.backend);
  const failure = toldTo(attempt, mended ? judge.excused(failed) : judge.failed(failed));
  if (!mended) trying.end(visit, key, 'failed');
  attempt.record.failure = failure;
  endAttempt(trail, attempt, clock, observer);
  if (mended) return { failure, next: { type: 'again' } };
  const keysLeft = availability.keysLeft(visit.backend, tried, key);
  return { failure, next: judge.next(failure, failed, { retries, keysLeft, leftMs: deadlineAtMs - clock.now() }) };
}

/** What is no failure of a backend that was asked to go on with the answer of another one; undefined if it is one. */
function excuse(
  { succession }: Journey,
  attempt: SentAttempt,
  failed: FailedRequest,
  judge: Judge,
): Verdict | undefined {
  if (succession === undefined) return undefined;
  if (failed.signal === divergence) {
    judge.released(failed);
    // It was generated all the same.
    if (attempt.answer.usage !== undefined) attempt.record.usage = attempt.answer.usage;
    return { failure: succession.failure, next: { type: 'stop' } };
  }
  if (attempt.prefill === undefined) return undefined;
  const failure = judge.excused(failed);
  if (failure.class !== 'BadRequest') return undefined;
  attempt.record.failure = failure;
  succession.refusing.add(failed.visit.backend.id);
  return { failure, next: { type: 'again' } };
}

/** What a visit may need before anything is sent. */
interface Preparation {
  readonly trying: Trying;
  readonly prospects: Prospects;
  readonly slotted: SlotPlan | undefined;
  readonly availability: Availability;
}

/** A trial needs its turn before anything else is done for it. */
function prepare(visit: Visit, preparation: Preparation): Promise<boolean> | undefined {
  const { trying, prospects, slotted } = preparation;
  slotted?.visited();
  const turn = trying.begin(visit);
  const ready =
    turn === undefined ? prospects.prepare(visit) : turn.then((isOurs) => isOurs && (prospects.prepare(visit) ?? true));
  return ready?.then((isReady) => isReady && isStillOpen(visit, preparation));
}

/** Whoever had to wait looks again: meanwhile the backend may have been disabled, or switched off by a person. */
function isStillOpen(visit: Visit, { prospects, availability }: Preparation): boolean {
  const { backend, disabled } = visit;
  const isOpen = disabled ? !availability.isHard(backend) : availability.disabledUntil(backend) === 0;
  if (!isOpen) prospects.skip(visit);
  return isOpen;
}

function mayGoOn(
  visit: Visit,
  key: UpstreamKey | undefined,
  wasSent: boolean,
  preparation: Preparation,
): 'yes' | 'with another key' | 'no' {
  if (!wasSent && !isStillOpen(visit, preparation)) return 'no';
  return preparation.availability.mayGoOn(visit.backend, isLastResort(visit), key);
}

/** When a client that found everything busy may ask again. */
const busyRetryMs = 1_000;

/** Nothing was sent: the answer is made here, nobody could be told what the client wants, or nobody has room for it. */
async function concluded(
  end: FailoverEnd<SentAttempt>,
  { local, refusal }: Prospects,
  { lacking }: Room,
  busy: boolean,
): Promise<SearchEnd['end']> {
  if (end.type !== 'exhausted') return end;
  if (local !== undefined) return { type: 'local', body: await local() };
  if (end.failures.length > 0) return end;
  if (busy) throw new ClientError('all_backends_busy', { retryAfterMs: busyRetryMs });
  if (refusal !== undefined) throw refusal;
  if (lacking) throw new ClientError('upstream_overloaded', { retryAfterMs: fullRestMs });
  return end;
}

/** An attempt as the judge sees it. */
export function judged(
  { operation }: ProxyRequest,
  visit: Visit,
  key: UpstreamKey | undefined,
  { record }: SentAttempt,
): JudgedAttempt {
  // A server that cannot count may well have the model.
  const relayed = operation.protocol === 'relay' || operation.protocol === 'anthropic-count-tokens';
  return { visit, key, model: record.model, begunMs: record.startedAtMs, relayed };
}

/** A failure in words that the client's protocol knows. */
export function toldTo({ translated }: SentAttempt, failure: Failure): Failure {
  return translated ? inNeutralWords(failure) : failure;
}

/** The attempt has its first content: whoever waits for answers of this backend knows how long that takes. */
function noteContent(trail: Trail, { record, answer }: SentAttempt, observer: Required<Observer>): void {
  record.status = answer.status;
  if (answer.firstContentAtMs === undefined) return;
  record.firstContentAtMs = answer.firstContentAtMs;
  observer.attemptAnswered(trail, record);
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

/** Who picks, and what for. */
interface Balancing {
  readonly balancer: Balancer;
  readonly context: PickContext;
  readonly trials: Trials;
  readonly room: Room;
}

function createPlanFor(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  availability: Availability,
  { balancer, context: asked, trials, room }: Balancing,
): Plan {
  const { exchange, pin } = request;
  const context = {
    headers: exchange.headers,
    path: exchange.path,
    model: request.model,
    stream: request.stream,
    principal,
  };
  const earlyMs = pin === undefined ? toPeriodMs(rule) : undefined;
  const facts: PlanFacts = {
    disabledUntil: (backend) => Math.max(availability.disabledUntil(backend), room.lackingUntil(backend)),
    isHard: (backend) => availability.isHard(backend) || room.lackingUntil(backend) > 0,
    claim: (backend) => availability.claim(backend),
    usualFirstContentMs: (backend) => balancer.usualFirstContentMs(backend.id, asked.nowMs),
    isEarly:
      earlyMs === undefined
        ? undefined
        : (backend) => trials.isRipe(backend.target) && availability.isEarly(backend, earlyMs),
    pick: (tier, of, eligible) => balancer.pick(tier, of, eligible, asked),
  };
  const { protocol } = request.operation;
  if (pin === undefined) return createPlan(rule.serving(protocol), context, facts);
  if (pin.kind === 'left-out' || pin.excluded) throw new ClientError('no_backend');
  const { candidate } = pin;
  if (candidate.kind === 'backend' && laneOf(request, candidate) === undefined) throw new ClientError('no_backend');
  if (candidate.kind === 'backend' && availability.isHard(candidate)) throw new ClientError('backend_disabled');
  return createPinnedPlan({ ...pin, rule: pin.rule.serving(protocol) }, context, facts);
}

function nextKey(
  visit: Visit,
  tried: ReadonlySet<string>,
  accountOtherThan: UpstreamKey | undefined,
  availability: Availability,
  { balancer, context }: Balancing,
): UpstreamKey | undefined {
  let eligible = availability.keys(visit.backend, isLastResort(visit)).filter((key) => !tried.has(key.id));
  if (accountOtherThan !== undefined) eligible = eligible.filter((key) => isOtherAccount(key, accountOtherThan));
  while (eligible.length > 0) {
    const key = balancer.pickKey(visit.backend.provider, eligible, context);
    if (isLastResort(visit) || availability.claimKey(key)) return key;
    eligible = eligible.filter((other) => other !== key);
  }
  return undefined;
}
