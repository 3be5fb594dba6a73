// Exchanges without sockets: what a client asks, and what it was answered.

import type { Exchange, OutgoingHeaders, ReplyStream } from '../../../proxy/ingress/exchange.ts';

/** What a test says of a request. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Exchange['headers'];
  /** Objects as JSON. */
  readonly body?: object | string;
}

/** A request whose answer is noted. */
export class NotedExchange implements Exchange {
  readonly id = 'r1';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Exchange['headers'];
  readonly body: Buffer;
  readonly remoteAddress = '192.0.2.7';
  readonly receivedAtMs = 0;
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  answer: { readonly status: number; readonly headers: OutgoingHeaders; readonly body: string } | undefined;

  constructor({ method = 'POST', path = '/v1/chat/completions', query = '', headers, body = '' }: Asked) {
    this.method = method;
    this.path = path;
    this.query = query;
    this.headers = { 'content-type': 'application/json', ...headers };
    this.body = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  }

  /** Room for bytes besides the body. */
  bytesFree = Infinity;

  get started(): boolean {
    return this.answer !== undefined;
  }

  hold(bytes: number): boolean {
    if (bytes > this.bytesFree) return false;
    this.bytesFree -= bytes;
    return true;
  }

  reply(status: number, headers: OutgoingHeaders, body: Uint8Array): void {
    this.answer = { status, headers, body: Buffer.from(body).toString() };
  }

  stream(): ReplyStream {
    throw new Error('nothing here is streamed');
  }
}
