// Sends one request for a visit. The other half of an attempt, reading the answer, is stream/answer.ts.

import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import type { AttemptOutcome } from '../canonical/attempt.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { FailureSignal } from '../canonical/failure.ts';
import type { Backend, Rule, UpstreamKey } from '../config/snapshot.ts';
import { createChatAnswers } from '../protocols/lane-chat.ts';
import type { ChatLane, Lane } from '../protocols/lane.ts';
import type { AnswerProtocol } from '../protocols/protocol.ts';
import type { Attempt } from '../routing/failover.ts';
import { isListedStatus } from '../routing/failure-settings.ts';
import type { Visit } from '../routing/plan.ts';
import { Answer } from '../stream/answer.ts';
import type { Sender } from '../upstream/pool.ts';
import { type OutgoingRequest, send } from '../upstream/send.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { ProxyRequest } from './decode.ts';
import { buildRequest, laneOf, signRequest } from './outgoing.ts';
import type { RequestTranslation, ResolveSources, TranslatedRequest } from './translation.ts';

/** An attempt as the pipeline relays and accounts for it. */
export interface SentAttempt extends Attempt {
  readonly answer: Answer;
  readonly record: AttemptRecord;
  /** Whether the upstream speaks another protocol than the client. */
  readonly translated: boolean;
  /** What the upstream was not told, under the client's own names. */
  readonly dropped: readonly string[];
}

/** What sending needs. */
export interface SendSettings {
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  /** Hears of each attempt, and may add trace context to it. */
  readonly observer: Required<Observer>;
  /** Hears of each dropped frame, with the id of the backend that sent it. */
  readonly onMalformed: (backend: string) => void;
  /** Undefined: nothing is fetched, and requests that need it are refused. */
  readonly resolveSources?: ResolveSources | undefined;
}

/** What all attempts of a request have in common. */
export interface Journey {
  readonly request: ProxyRequest;
  readonly trail: Trail;
  readonly rule: Rule;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  readonly translation: RequestTranslation;
}

/** Sends a request to the visited backend. Throws ClientError if it cannot be put together. */
export function sendAttempt(
  journey: Journey,
  visit: Visit,
  key: UpstreamKey | undefined,
  settings: SendSettings,
): SentAttempt {
  const { request, trail, rule, deadlineAtMs } = journey;
  const { clock, upstreams, observer, onMalformed } = settings;
  const { backend, timeouts } = visit;
  const lane = requireLane(request, backend);
  const prepared = prepare(journey, backend, key, lane, settings);
  const record = openRecord(journey, backend, key, clock);
  trail.attempts.push(record);
  const traceHeaders = observer.attemptStarted(trail, record) ?? {};
  const finished = prepared.isSimple ? withHeaders(prepared.outgoing, traceHeaders) : finish(prepared.outgoing);
  const pool = upstreams.pool(backend.provider, timeouts.connectMs);
  return sendOver(pool);

  async function finish(outgoing: Promise<OutgoingRequest>): Promise<OutgoingRequest> {
    return signRequest(withHeaders(await outgoing, traceHeaders), backend, key, clock);
  }

  function sendOver(sender: Sender): SentAttempt {
    const answer = new Answer({
      clock,
      timeouts,
      deadlineAtMs,
      protocol: answersOf(journey, backend, lane, clock),
      stream: request.stream,
      hideUsage: request.peek?.usageEdit !== undefined,
      isFailure: (status) => isListedStatus(status, rule.failover),
      onMalformed: () => onMalformed(backend.id),
    });
    if (finished instanceof Promise) void sendLater(sender, finished, answer);
    else answer.source = send(sender, finished, answer);
    return {
      answer,
      record,
      translated: lane.type === 'chat',
      get dropped() {
        return prepared.dropped;
      },
      outcome: answer.outcome satisfies Promise<AttemptOutcome>,
      abort: () => answer.abort(),
      resend: () => sendOver(pool.fresh),
    };
  }
}

function requireLane(request: ProxyRequest, backend: Backend): Lane {
  const lane = laneOf(request, backend);
  if (lane === undefined) throw new ClientError('no_backend');
  return lane;
}

/** Why it could not be finished only the attempt hears. */
async function sendLater(sender: Sender, finished: Promise<OutgoingRequest>, answer: Answer): Promise<void> {
  try {
    const outgoing = await finished;
    if (!answer.over) answer.source = send(sender, outgoing, answer);
  } catch (error) {
    answer.reject(toSignal(error));
  }
}

/** What the client's own request is to blame for reads as if an upstream had said so; else it is the credential. */
function toSignal(error: unknown): FailureSignal {
  const isClients = error instanceof ClientError;
  const status = isClients ? error.status : 401;
  const message = isClients ? error.message : 'the credential cannot be used';
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error' } });
  return { type: 'answer', status, headers: {}, body };
}

/** A request that is being put together, and what it leaves out of the client's. */
type Prepared = { readonly dropped: readonly string[] } & (
  | { readonly isSimple: true; readonly outgoing: OutgoingRequest }
  | { readonly isSimple: false; readonly outgoing: Promise<OutgoingRequest> }
);

function prepare(
  { request, translation }: Journey,
  backend: Backend,
  key: UpstreamKey | undefined,
  lane: Lane,
  { resolveSources }: SendSettings,
): Prepared {
  const isSimple = backend.provider.kind.sign === undefined;
  const build = (translated?: TranslatedRequest): OutgoingRequest =>
    buildRequest(request, backend, key, lane, translated);
  if (lane.type === 'chat' && resolveSources !== undefined && translation.needsSources(lane, backend)) {
    return whenResolved(translation.writeResolved(lane, backend, resolveSources), build);
  }
  const translated = lane.type === 'chat' ? translation.write(lane, backend) : undefined;
  const dropped = translated?.dropped ?? none;
  const outgoing = build(translated);
  return isSimple ? { isSimple, outgoing, dropped } : { isSimple, outgoing: Promise.resolve(outgoing), dropped };
}

const none: readonly string[] = [];

function whenResolved(
  writing: Promise<TranslatedRequest>,
  build: (translated: TranslatedRequest) => OutgoingRequest,
): Prepared {
  let dropped = none;
  const outgoing = writing.then((translated) => {
    ({ dropped } = translated);
    return build(translated);
  });
  return {
    isSimple: false,
    outgoing,
    get dropped() {
      return dropped;
    },
  };
}

function withHeaders(outgoing: OutgoingRequest, headers: Readonly<Record<string, string>>): OutgoingRequest {
  Object.assign(outgoing.headers, headers);
  return outgoing;
}

/** How the answer is read: as it is, or as an answer in the client's protocol. */
function answersOf(journey: Journey, backend: Backend, lane: Lane, clock: Clock): AnswerProtocol | undefined {
  if (lane.type === 'pass-through') return lane.protocol;
  return lane.type === 'chat' ? createChatAnswers(lane, contextOf(journey, backend, lane, clock)) : undefined;
}

function contextOf(
  { request, trail, translation }: Journey,
  backend: Backend,
  lane: ChatLane,
  clock: Clock,
): Parameters<typeof createChatAnswers>[1] {
  return {
    requestId: request.exchange.id,
    model: request.model ?? backend.upstreamModel ?? '',
    createdAt: Math.floor(trail.startedAtMs / 1000),
    wantsUsage: request.peek?.wantsUsage === true,
    startedAtMs: trail.startedAtMs,
    now: () => clock.now(),
    request: translation.canonical(lane, backend),
  };
}

function openRecord(
  { request, trail }: Journey,
  { id, name, provider, upstreamModel }: Backend,
  key: UpstreamKey | undefined,
  clock: Clock,
): AttemptRecord {
  return {
    number: trail.attempts.length + 1,
    backend: id,
    backendName: name,
    provider: provider.id,
    providerType: provider.config.type,
    key: key?.id,
    model: upstreamModel ?? request.model,
    startedAtMs: clock.now(),
  };
}
