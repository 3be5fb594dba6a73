// The exchange as the pipeline sees it, over node:http's request and response.
//
// A client has left when its response closes before all of it was handed over (`close` of the response, never of the
// request, which closes when its body has been read). A client that closes its sending side counts as gone too.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../canonical/clock.ts';
import type { AbortReason, Exchange, IncomingHeaders, OutgoingHeaders, ReplyStream } from './exchange.ts';
import type { IngressLimits } from './limits.ts';
import type { HeldBytes } from './request-body.ts';
import { requestIdOf } from './request-id.ts';
import { ResponseStream, type StreamOwner } from './reply-stream.ts';

/** What all exchanges of one ingress share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly limits: IngressLimits;
  readonly held: HeldBytes;
  /** While draining every answer ends its connection. */
  readonly draining: boolean;
}

/** Bodies up to this size leave with their head as one string, which is cheaper than two buffers in one write. */
const joinedBytesMax = 8 * 1024;
const emptyBody = Buffer.alloc(0);

/** One request of a client and its answer. */
export class ClientExchange implements Exchange, StreamOwner {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHeaders;
  readonly remoteAddress: string;
  readonly receivedAtMs: number;
  readonly socket: Socket;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  body: Buffer = emptyBody;
  closed = false;
  readonly #context: ExchangeContext;
  #id: string | undefined;
  #controller: AbortController | undefined;
  #abortReason: AbortReason | undefined;
  #stream: ResponseStream | undefined;
  #status = 0;
  #headers: OutgoingHeaders | undefined;
  #cut = false;
  #bytesHeld = 0;

  constructor(request: IncomingMessage, response: ServerResponse, remoteAddress: string, context: ExchangeContext) {
    const target = originalTarget(request);
    const mark = target.indexOf('?');
    this.method = request.method ?? '';
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? '' : target.slice(mark);
    this.headers = request.headers;
    this.remoteAddress = remoteAddress;
    this.receivedAtMs = context.clock.now();
    this.socket = request.socket;
    this.request = request;
    this.response = response;
    this.#context = context;
  }

  get id(): string {
    this.#id ??= requestIdOf(this.headers, this.#context.newId);
    return this.#id;
  }

  /** Made when first asked for: answers that need no upstream never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get started(): boolean {
    return this.response.headersSent;
  }

  get writeStallTimeoutMs(): number {
    return this.#context.limits.writeStallTimeoutMs;
  }

  hold(bytes: number): boolean {
    if (this.closed || !this.#context.held.take(bytes)) return false;
    this.#bytesHeld += bytes;
    return true;
  }

  reply(status: number, headers: OutgoingHeaders, body: Uint8Array): void {
    if (this.closed) return;
    if (this.started) throw new Error('This exchange has been answered.');
    const bodiless = this.#isBodiless(status);
    this.#send(status, headers, bodiless ? undefined : body.length);
    if (bodiless) this.response.end();
    else if (body.length > joinedBytesMax || !Buffer.isBuffer(body)) this.response.end(body);
    else this.response.end(body.toString('latin1'), 'latin1');
    if (this.socket.writableLength > 0) this.socket.setTimeout(this.writeStallTimeoutMs);
  }

  stream(status: number, headers: OutgoingHeaders): ReplyStream {
    if (this.started) throw new Error('This exchange has been answered.');
    this.#status = status;
    this.#headers = headers;
    this.#stream ??= new ResponseStream(this);
    return this.#stream;
  }

  writeHead(): boolean {
    this.#send(this.#status, this.#headers ?? {}, undefined);
    return !this.#isBodiless(this.#status);
  }

  cut(): void {
    if (this.closed) return;
    this.#cut = true;
    // An answer without framing ends where its connection ends: only a reset says that it is not whole.
    if (this.request.httpVersionMinor === 0) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  abort(reason: AbortReason): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** The response is over, one way or the other: whatever is still written goes nowhere. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#context.held.giveBack(this.#bytesHeld);
    this.#stream?.release();
    if (!this.#cut && !this.response.writableFinished) this.abort('client-left');
  }

  #isBodiless(status: number): boolean {
    return status === 204 || status === 304 || this.method === 'HEAD';
  }

  #send(status: number, headers: OutgoingHeaders, length: number | undefined): void {
    const fields = ['x-request-id', this.id];
    for (const name in headers) {
      if (!isOwnField(name)) fields.push(name, headers[name]!);
    }
    if (length !== undefined) fields.push('content-length', String(length));
    // HTTP/1.0 has no framing that tells a cut answer from a whole one on a connection that stays.
    if (this.#context.draining || this.request.httpVersionMinor === 0) fields.push('connection', 'close');
    this.response.writeHead(status, fields);
  }
}

/** Fields that only the ingress may set: what the pipeline says of them is ignored. */
function isOwnField(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'content-length':
    case 'transfer-encoding':
    case 'x-request-id':
      return true;
    default:
      return false;
  }
}

/** The request's target as it came, wherever the router was sent instead. */
export function originalTarget(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '';
}
