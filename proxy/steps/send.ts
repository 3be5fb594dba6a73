// Sends one request for a visit. The other half of an attempt, reading the answer, is stream/answer.ts.

import type { AttemptRecord, Observer } from '../accounting/trail.ts';
import type { AttemptOutcome } from '../canonical/attempt.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { FailureSignal } from '../canonical/failure.ts';
import type { Backend, UpstreamKey } from '../config/snapshot.ts';
import type { EmbeddingAnswerContext } from '../protocols/embedding-codec.ts';
import type { Lane } from '../protocols/lane.ts';
import { SigningFailure } from '../providers/signing-failure.ts';
import type { Attempt } from '../routing/failover-steps.ts';
import { isListedStatus } from '../routing/failure-settings.ts';
import type { Visit } from '../routing/visit.ts';
import { Answer } from '../stream/answer.ts';
import type { Sender } from '../upstream/pool.ts';
import { type OutgoingRequest, send } from '../upstream/send.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { answersOf, openTranscript, vectorContextOf } from './answers.ts';
import { Batch, type BatchPart } from './batch.ts';
import type { ProxyRequest } from './decode.ts';
import type { Journey, Memory } from './journey.ts';
import { buildRequest, laneOf, signRequest, type SigningSettings } from './outgoing.ts';
import { prefillOf } from './succession.ts';
import type { BegunAnswer } from './translation.ts';
import type { WrittenRequest } from './written-request.ts';

/** An attempt as the pipeline relays and accounts for it. */
export interface SentAttempt extends Attempt, Memory {
  readonly answer: Answer;
  readonly record: AttemptRecord;
  /** Whether the upstream speaks another protocol than the client. */
  readonly translated: boolean;
  readonly draft: Draft;
}

/** A request that is being put together. */
export interface Draft {
  readonly parts: readonly DraftPart[];
  /** What the upstream is not told, under the client's own names. */
  readonly dropped: readonly string[];
}

/** One part of it, without what is known only when it is sent. */
export interface DraftPart {
  readonly outgoing: OutgoingRequest;
  readonly inputs: number;
}

/** What sending needs. */
export interface SendSettings extends SigningSettings {
  readonly upstreams: Upstreams;
  /** Hears of each attempt, and may add trace context to it. */
  readonly observer: Required<Observer>;
  /** Hears of each dropped frame, with the id of the backend that sent it. */
  readonly onMalformed: (backend: string) => void;
}

const nothingBegun: Partial<NonNullable<ReturnType<typeof prefillOf>>> = {};

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
  const own = requireLane(request, backend);
  const { lane = own, prefill, begun } = prefillOf(journey, backend, own) ?? nothingBegun;
  const draft = draftRequest(journey, backend, key, lane, begun);
  const record = openRecord(journey, backend, key, clock);
  trail.attempts.push(record);
  const traceHeaders = observer.attemptStarted(trail, record) ?? {};
  const parts = draft.parts.map(({ outgoing, inputs }) => {
    Object.assign(outgoing.headers, traceHeaders);
    return { inputs, outgoing: () => signed(outgoing, request, backend, key, settings) };
  });
  const [only, ...others] = parts;
  const pool = upstreams.pool(backend.provider, timeouts.connectMs);
  const answerSettings = {
    clock,
    timeouts,
    deadlineAtMs,
    stream: request.stream,
    hideUsage: request.peek?.usageEdit !== undefined,
    isFailure: (status: number) => isListedStatus(status, rule.failover),
    onMalformed: () => onMalformed(backend.id),
  };
  return sendOver(pool);

  function sendOver(sender: Sender): SentAttempt {
    const memory = { transcript: openTranscript(journey), prefill };
    const answer = others.length === 0 ? sendOne(sender, memory) : sendParts(sender);
    return {
      ...memory,
      answer,
      record,
      translated: lane.type === 'chat' || lane.type === 'embeddings',
      draft,
      outcome: answer.outcome satisfies Promise<AttemptOutcome>,
      abort: () => answer.abort(),
      resend: () => sendOver(pool.fresh),
    };
  }

  function sendOne(sender: Sender, memory: Memory): Answer {
    const answer = new Answer({ ...answerSettings, protocol: answersOf(journey, backend, lane, memory, clock) });
    const outgoing = only?.outgoing();
    if (outgoing instanceof Promise) void sendLater(sender, outgoing, answer);
    else if (outgoing !== undefined) answer.source = send(sender, outgoing, answer);
    return answer;
  }

  function sendParts(sender: Sender): Answer {
    if (lane.type !== 'embeddings') throw new Error(`requests in lane ${lane.type} have one part`);
    const context = (): EmbeddingAnswerContext => vectorContextOf(journey, backend, lane, clock);
    const { fresh } = pool;
    const batch = new Batch(parts, { lane, sender, fresh, answer: answerSettings, context, toSignal });
    // Each part has its own time to answer; all of them have that of the whole request.
    const patient = { ...timeouts, responseMs: deadlineAtMs - clock.now() };
    const answer = new Answer({ ...answerSettings, timeouts: patient, protocol: batch.protocol });
    batch.start(answer);
    return answer;
  }
}

function requireLane(request: ProxyRequest, backend: Backend): Lane {
  const lane = laneOf(request, backend);
  if (lane === undefined) throw new ClientError('no_backend');
  return lane;
}

function draftRequest(
  { request, translation }: Journey,
  backend: Backend,
  key: UpstreamKey | undefined,
  lane: Lane,
  begun: BegunAnswer | undefined,
): Draft {
  if (lane.type !== 'chat' && lane.type !== 'embeddings') {
    const passed = lane.type === 'pass-through' ? translation.editsFor(lane, backend) : undefined;
    const outgoing = buildRequest(request, backend, key, lane, { edits: passed?.edits });
    return { parts: [{ outgoing, inputs: 1 }], dropped: passed?.dropped ?? none };
  }
  const build = (written: WrittenRequest): OutgoingRequest => buildRequest(request, backend, key, lane, { written });
  if (lane.type === 'chat' && begun !== undefined) {
    const written = translation.writeContinued(lane, backend, begun);
    return { parts: [{ outgoing: build(written), inputs: 1 }], dropped: written.dropped };
  }
  const batches = translation.write(lane, backend);
  return {
    parts: batches.map((batch) => ({ outgoing: build(batch), inputs: batch.inputs })),
    dropped: batches[0]?.dropped ?? none,
  };
}

const none: readonly string[] = [];

/** What is known only as it goes out: a signature over all of it. */
function signed(
  outgoing: OutgoingRequest,
  request: ProxyRequest,
  backend: Backend,
  key: UpstreamKey | undefined,
  settings: SigningSettings,
): ReturnType<BatchPart['outgoing']> {
  return backend.provider.kind.sign === undefined ? outgoing : signRequest(outgoing, request, backend, key, settings);
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

/** All that can go wrong with a request that is written is its signature: reads as if an upstream had refused it. */
function toSignal(error: unknown): FailureSignal {
  if (error instanceof SigningFailure) return error.signal;
  const body = { error: { message: 'the credential cannot be used', type: 'invalid_request_error' } };
  return { type: 'answer', status: 401, headers: {}, body: JSON.stringify(body) };
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
