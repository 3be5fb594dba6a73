// A streamed answer on a client's connection: bytes out, backpressure back, and an end to clients that take nothing.
//
// Chunks are framed here and written straight to the socket: through ServerResponse each costs four writes, a cork and
// a tick more, a third of the price of an event. Head, framing and keep-alive stay decisions of ServerResponse.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { allocate } from '../canonical/byte-pieces.ts';
import type { ReplyStream } from './exchange.ts';

/** Larger chunks are not copied into their frame: writing in three pieces is cheaper then. */
const copiedBytesMax = 16 * 1024;
const lastChunk = Buffer.from('0\r\n\r\n', 'latin1');
const nothing = Buffer.alloc(0);

/** What a stream needs of its exchange. */
export interface StreamOwner {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly writeStallTimeoutMs: number;
  /** Whether the connection is gone or the answer complete: writes are no-ops then. */
  readonly closed: boolean;
  /** Gives the head to the response, with which the next bytes leave; false if there must be no body. */
  writeHead(): boolean;
  /** Cuts the connection. */
  cut(): void;
}

/** The answer of one exchange, given out in pieces. */
export class ResponseStream implements ReplyStream {
  readonly #owner: StreamOwner;
  #begun = false;
  #chunked = false;
  #bodiless = false;
  #ended = false;
  #stalled = false;
  #waiting: (() => void)[] = [];

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  write(chunk: Uint8Array): boolean {
    const { socket } = this.#owner;
    // An empty chunk would be read as the end of the answer.
    if (chunk.length === 0 || this.#ended || this.#bodiless || this.#owner.closed || !socket.writable) return true;
    const ready = this.#begun ? this.#writeOn(socket, chunk) : this.#begin(chunk);
    if (!ready) this.#watch();
    return ready;
  }

  onDrain(ready: () => void): void {
    if (this.#stalled && !this.#owner.closed) this.#waiting.push(ready);
    else queueMicrotask(ready);
  }

  end(last: Uint8Array = nothing): void {
    if (this.#ended || this.#owner.closed) return;
    const { response, socket } = this.#owner;
    if (!this.#begun) this.#open();
    this.#ended = true;
    if (this.#bodiless) response.end();
    else if (this.#chunked) response.end(last.length === 0 ? lastChunk : frame(last, lastChunk));
    else response.end(last);
    if (socket.writableLength > 0) socket.setTimeout(this.#owner.writeStallTimeoutMs);
  }

  destroy(): void {
    this.#owner.cut();
  }

  /** The exchange is over: whoever waits for the client to take something must not wait for ever. */
  release(): void {
    if (this.#stalled) this.#owner.socket.off('drain', this.#onDrain);
    this.#wake();
  }

  #begin(chunk: Uint8Array): boolean {
    this.#open();
    if (this.#bodiless) return true;
    return this.#owner.response.write(this.#chunked ? frame(chunk, nothing) : chunk);
  }

  #open(): void {
    const { response } = this.#owner;
    this.#bodiless = !this.#owner.writeHead();
    this.#begun = true;
    this.#chunked = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  #writeOn(socket: Socket, chunk: Uint8Array): boolean {
    if (!this.#chunked) return socket.write(chunk);
    if (chunk.length <= copiedBytesMax) return socket.write(frame(chunk, nothing));
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const ready = socket.write('\r\n', 'latin1');
    socket.uncork();
    return ready;
  }

  /** Node's socket timer knows progress within one large write, which no counter of completed writes would. */
  #watch(): void {
    if (this.#stalled) return;
    this.#stalled = true;
    this.#owner.socket.setTimeout(this.#owner.writeStallTimeoutMs);
    this.#owner.socket.once('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    // Once the answer has ended the timer stays: Node replaces it when all has been taken.
    if (!this.#ended) this.#owner.socket.setTimeout(0);
    this.#wake();
  };

  #wake(): void {
    this.#stalled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const ready of waiting) ready();
  }
}

/** One chunk of the chunked transfer coding (RFC 9112 §7.1), and what follows it. */
function frame(chunk: Uint8Array, tail: Buffer): Buffer {
  const size = chunk.length.toString(16);
  const start = size.length + 2;
  const bytes = allocate(start + chunk.length + 2 + tail.length);
  bytes.write(`${size}\r\n`, 0, 'latin1');
  bytes.set(chunk, start);
  bytes[start + chunk.length] = 13;
  bytes[start + chunk.length + 1] = 10;
  if (tail.length > 0) bytes.set(tail, start + chunk.length + 2);
  return bytes;
}
