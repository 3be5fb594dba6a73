// Search, then relay: from a rule to an answer that has reached the client, or a ClientError that says why not.

import type { AttemptRecord, Outcome, Trail } from '../accounting/trail.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Failure, FailureSignal } from '../canonical/failure.ts';
import { addUsage, type Usage } from '../canonical/usage.ts';
import type { Principal, Rule } from '../config/snapshot.ts';
import { exhausted, inBandError } from '../routing/exhausted.ts';
import type { FailedRequest } from '../routing/judge.ts';
import type { Visit } from '../routing/visit.ts';
import type { Answer } from '../stream/answer.ts';
import type { RelayEnd } from '../stream/relay.ts';
import type { ProxyRequest } from './decode.ts';
import type { Breakage, Reply } from './reply.ts';
import { endAttempt, judged, search, type SearchEnd, type SearchSettings, toldTo } from './search.ts';
import type { SentAttempt } from './send.ts';
import { succeed } from './succession.ts';

/** Answers a request by a backend. Throws ClientError where none does. */
export async function answer(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  reply: Reply,
  trail: Trail,
  settings: SearchSettings,
): Promise<void> {
  const searched = await search(request, rule, principal, trail, settings);
  const { end, plan } = searched;
  switch (end.type) {
    case 'committed':
      await relayTo(reply, end, searched, settings);
      return;
    case 'exhausted':
      if (end.empty !== undefined) await relayTo(reply, end.empty, searched, settings);
      else throw exhausted(end.failures, returnMs(plan.soonestReturn(), settings.clock.now()));
      return;
    case 'local':
      reply.local(end.body);
      trail.outcome = 'answered';
      return;
    case 'deadline':
      throw new ClientError('upstream_timeout');
    case 'aborted':
      if (request.exchange.signal.reason === 'drain-deadline') throw new ClientError('draining');
      trail.outcome = 'client-left';
  }
}

/** An answer and where it comes from. */
interface Committed {
  readonly attempt: SentAttempt;
  readonly visit: Visit;
}

async function relayTo(reply: Reply, first: Committed, searched: SearchEnd, settings: SearchSettings): Promise<void> {
  const { journey } = searched;
  const { trail, rule } = journey;
  trail.firstContentAtMs = first.attempt.answer.firstContentAtMs ?? settings.clock.now();
  trail.status = first.attempt.translated ? 200 : first.attempt.answer.status;
  const relayed = new RelayedAnswer(first, searched, settings);
  const end = await reply.relay(first.attempt, {
    tell(breakage) {
      const error = relayed.tell(breakage);
      trail.errorCode = error.code;
      return error;
    },
    successor: rule.failover.afterContent === 'Resume' ? (cause) => relayed.goOn(cause) : undefined,
  });
  trail.outcome = outcomeOf(end);
  relayed.close();
}

/** The answer that the client is given: of one backend, or of several that go on with it one after the other. */
class RelayedAnswer {
  #current: Committed;
  /** What the client is told, where it is known before it is asked for. */
  #told: ClientError | undefined;
  readonly #searched: SearchEnd;
  readonly #settings: SearchSettings;

  constructor(first: Committed, searched: SearchEnd, settings: SearchSettings) {
    this.#current = first;
    this.#searched = searched;
    this.#settings = settings;
  }

  tell(breakage: Breakage): ClientError {
    if (breakage === 'deadline') return new ClientError('stream_timeout');
    if (breakage === 'draining') return new ClientError('draining');
    return this.#told ?? inBandError(this.#judge(breakage));
  }

  /** Looks for somebody who goes on with the answer. Never rejects. */
  async goOn(cause: FailureSignal): Promise<Answer | undefined> {
    try {
      return await this.#goOn(cause);
    } catch (error) {
      this.#settings.unexpected(error, this.#searched.journey.request.exchange.id);
      return undefined;
    }
  }

  /** Closes the books of the answer. */
  close(): void {
    const { trail } = this.#searched.journey;
    const { attempt } = this.#current;
    const { usage } = attempt.answer;
    // That of an answer which broke was found out when somebody was looked for to go on with it.
    if (usage !== undefined) attempt.record.usage ??= usage;
    const total = totalUsage(trail.attempts);
    if (total !== undefined) trail.usage = total;
    endAttempt(trail, attempt, this.#settings.clock, this.#settings.observer);
  }

  async #goOn(cause: FailureSignal): Promise<Answer | undefined> {
    const { clock, judge, observer } = this.#settings;
    const { journey, goOn } = this.#searched;
    const { attempt, visit } = this.#current;
    const failure = this.#judge(cause);
    this.#told ??= inBandError(failure);
    const next = judge.next(failure, this.#failed(cause), { ...spent, leftMs: journey.deadlineAtMs - clock.now() });
    const succession = next.type === 'next-backend' ? succeed(journey, attempt, visit.backend, failure) : undefined;
    if (next.type !== 'next-backend' || succession === undefined) return undefined;
    endAttempt(journey.trail, attempt, clock, observer);
    journey.succession = succession;
    const end = await goOn(next.accepts);
    if (end.type !== 'committed') return undefined;
    this.#current = end;
    return end.attempt.answer;
  }

  #judge(cause: FailureSignal): Failure {
    const { attempt } = this.#current;
    attempt.record.failure = toldTo(attempt, this.#settings.judge.failed(this.#failed(cause)));
    return attempt.record.failure;
  }

  #failed(signal: FailureSignal): FailedRequest {
    const { request, rule } = this.#searched.journey;
    const { attempt, visit } = this.#current;
    return { ...judged(request, visit, undefined, attempt), signal, rule, body: request.exchange.body };
  }
}

/** What all attempts have used, as far as it is known: one, unless others had to go on with its answer. */
function totalUsage(attempts: readonly AttemptRecord[]): Usage | undefined {
  let total: Usage | undefined;
  for (const { usage } of attempts)
    if (usage !== undefined) total = total === undefined ? usage : addUsage(total, usage);
  return total;
}

/** After content nothing is tried again: not the same backend, and not another key of it. */
const spent = { retries: Infinity, keysLeft: { any: false, otherAccount: false } };

function outcomeOf(end: RelayEnd): Outcome {
  switch (end.type) {
    case 'complete':
      return 'answered';
    case 'broken':
      return 'failed-in-band';
    case 'aborted':
      return end.reason === 'drain-deadline' ? 'failed-in-band' : 'client-left';
  }
}

function returnMs(soonestMs: number, nowMs: number): number | undefined {
  return soonestMs === Infinity ? undefined : soonestMs - nowMs;
}
