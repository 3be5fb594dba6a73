// The client's side of one answer: relayed where a backend answered, else an error in the client's protocol; in a stream
// that was opened early, where the search for a backend took long.

import type { Trail } from '../accounting/trail.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { FailureSignal } from '../canonical/failure.ts';
import type { Rule } from '../config/snapshot.ts';
import type { Exchange, OutgoingHeaders, ReplyStream } from '../ingress/exchange.ts';
import type { ClientProtocol } from '../protocols/protocol.ts';
import type { Answer } from '../stream/answer.ts';
import { HeldReply } from '../stream/held-reply.ts';
import { relay, type RelayEnd } from '../stream/relay.ts';
import { replyHeaders, rewrittenHeaders } from '../stream/reply-headers.ts';
import type { ProxyRequest } from './decode.ts';
import type { SentAttempt } from './send.ts';

/** What broke an answer after content: the upstream, time, or a drain. */
export type Breakage = FailureSignal | 'deadline' | 'draining';

/** What a relay asks when an answer breaks. */
export interface RelaySteps {
  /** What the client is told. */
  readonly tell: (breakage: Breakage) => ClientError;
  /** Who goes on; undefined: nobody does. */
  readonly successor: ((cause: FailureSignal) => Promise<Answer | undefined>) | undefined;
}

/** The client's side of one answer. */
export class Reply {
  readonly #request: ProxyRequest;
  readonly #trail: Trail;
  readonly #clock: Clock;
  readonly #held: HeldReply<ReplyStream> | undefined;

  constructor(request: ProxyRequest, rule: Rule, trail: Trail, clock: Clock) {
    this.#request = request;
    this.#trail = trail;
    this.#clock = clock;
    const { keepAlive } = request.client;
    const holdMs = rule.failover.holdSeconds * 1000;
    if (request.stream && keepAlive !== undefined && holdMs > 0) {
      this.#held = new HeldReply(clock, holdMs, keepAlive, () => this.#openEarly());
    }
  }

  /** Relays an answer that is sure to be one. */
  async relay(attempt: SentAttempt, { tell, successor }: RelaySteps): Promise<RelayEnd> {
    const { exchange, client } = this.#request;
    const { answer, translated } = attempt;
    let last = answer;
    // Of the upstream's statuses only those of failures have a meaning in another protocol.
    const status = translated ? 200 : answer.status;
    const held = this.#held?.release();
    if (held === undefined && answer.whole) {
      exchange.reply(status, this.#headers(attempt), answer.takeBody());
      return { type: 'complete' };
    }
    return relay(answer, held ?? exchange.stream(status, this.#headers(attempt)), {
      clock: this.#clock,
      signal: exchange.signal,
      keepAlive: client.keepAlive,
      successor: successor && goOn,
      inBandError(breakage) {
        const error = tell(breakage);
        return answer.framed ? client.encodeInBandError(error, exchange.id, last.nextSequence) : undefined;
      },
    });

    async function goOn(cause: FailureSignal): Promise<Answer | undefined> {
      const next = await successor?.(cause);
      last = next ?? last;
      return next;
    }
  }

  /** Answers with what was made here. */
  local(body: Buffer): void {
    const { exchange } = this.#request;
    const stream = this.#held?.release();
    this.#trail.status = 200;
    if (stream !== undefined) stream.end(body);
    else exchange.reply(200, { 'content-type': 'application/json', ...this.#ownHeaders() }, body);
  }

  /** Says an error inside the stream if it was opened early; false if it was not. */
  failInBand(error: ClientError): boolean {
    const stream = this.#held?.release();
    stream?.end(this.#request.client.encodeInBandError(error, this.#request.exchange.id));
    return stream !== undefined;
  }

  /** The request is over: no stream is opened any more. */
  close(): void {
    this.#held?.release();
  }

  #openEarly(): ReplyStream {
    const { exchange, client } = this.#request;
    const headers = this.#ownHeaders();
    headers['content-type'] = client.streamType;
    headers['cache-control'] = 'no-cache';
    return exchange.stream(200, headers);
  }

  #ownHeaders(): OutgoingHeaders {
    const { exchange, client } = this.#request;
    const headers = sluiceHeaders(exchange, this.#trail);
    if (client.requestIdHeader !== undefined) headers[client.requestIdHeader] = exchange.id;
    return headers;
  }

  #headers({ answer, record, translated, draft: { dropped } }: SentAttempt): OutgoingHeaders {
    const { stream, client } = this.#request;
    const headers = translated
      ? rewrittenHeaders(answer.headers, stream ? client.streamType : 'application/json')
      : replyHeaders(answer.headers);
    if (stream) {
      headers['cache-control'] = 'no-cache';
      headers['content-type'] ??= client.streamType;
    }
    Object.assign(headers, this.#ownHeaders());
    headers['x-sluice-backend'] = record.backendName;
    if (dropped.length > 0) headers['x-sluice-dropped'] = toDroppedHeader(dropped);
    return headers;
  }
}

/** More names than any request of a real client has: they are the client's own, and go into a header. */
const droppedMax = 32;
const droppedCharsMax = 64;

/** The client's own names of what the upstream was not told: `seed,temperature=clamped`. */
function toDroppedHeader(dropped: readonly string[]): string {
  const names = dropped.slice(0, droppedMax).map((name) => name.slice(0, droppedCharsMax).replaceAll(/[^\w.=-]/g, '_'));
  return [...new Set(names)].join(',');
}

/** Answers with an error as an HTTP status. */
export function replyError(exchange: Exchange, client: ClientProtocol, error: ClientError, trail: Trail): void {
  const { status, headers, body } = client.encodeError(error, exchange.id, trail.requestModel);
  trail.status = status;
  const allow = error.allow === undefined ? {} : { allow: error.allow };
  exchange.reply(status, { ...headers, ...allow, ...sluiceHeaders(exchange, trail) }, body);
}

/** Any throw as something that a client may be told. Unknown ones are faults of ours: logged, and never quoted. */
export function toClientError(error: unknown): ClientError {
  return error instanceof ClientError ? error : new ClientError('internal_error', { cause: error });
}

/** Headers of every answer, as far as they are known. */
function sluiceHeaders(exchange: Exchange, trail: Trail): OutgoingHeaders {
  const headers: OutgoingHeaders = { 'x-request-id': exchange.id };
  if (trail.route !== undefined) headers['x-sluice-route'] = trail.route;
  if (trail.attempts.length > 0) headers['x-sluice-attempts'] = String(trail.attempts.length);
  return headers;
}
