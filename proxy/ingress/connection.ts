// Client connections: one request at a time on each, and all of them in one place for limits and for the drain.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../canonical/clock.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { IngressLimits } from './limits.ts';

/** Takes a request whose turn has come. */
export type Serve = (connection: Connection, request: IncomingMessage, response: ServerResponse) => void;

/** One connection. Pipelined requests wait for their turn, so that a socket never has more than one exchange. */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** Once refused, a connection serves nothing more. */
  refused = false;
  /** `bytesRead` of the socket when it was last seen idle: if it has grown since, a request is on its way. */
  idleBytesRead = -1;
  readonly #serve: Serve;
  readonly #pipelinedMax: number;
  readonly #waiting: (readonly [IncomingMessage, ServerResponse])[] = [];
  #current: ClientExchange | undefined;

  constructor(socket: Socket, serve: Serve, pipelinedMax: number) {
    this.socket = socket;
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '');
    this.#serve = serve;
    this.#pipelinedMax = pipelinedMax;
  }

  /** The exchange that is going on. */
  get current(): ClientExchange | undefined {
    return this.#current;
  }

  /** Serves a request, or lets it wait for the one before. */
  take(request: IncomingMessage, response: ServerResponse): void {
    if (this.refused) return;
    if (this.#current === undefined) this.#serve(this, request, response);
    else if (this.#waiting.length < this.#pipelinedMax) this.#waiting.push([request, response]);
    else this.socket.destroy();
  }

  begin(exchange: ClientExchange): void {
    this.#current = exchange;
  }

  /** The exchange is over: the next request has its turn, if the connection is not about to close. */
  finish(): void {
    this.#current = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined && this.socket.writable && !this.refused) this.#serve(this, ...next);
  }

  /** Sends a last answer and closes. Reading goes on for a while: a reset could destroy the answer on its way. */
  refuse(answer: Buffer, clock: Clock, lingerMs: number): void {
    this.refused = true;
    this.#current?.close();
    this.#waiting.length = 0;
    const { socket } = this;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(answer);
    socket.resume();
    const linger: Timer = clock.setTimer(lingerMs, () => socket.destroy());
    socket.once('close', () => linger.cancel());
  }
}

/** IPv4 clients of a listener on `::` are told as what they are. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** All open connections. */
export class Connections {
  readonly #limits: IngressLimits;
  readonly #serve: Serve;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #countByAddress = new Map<string, number>();
  #onEmpty: (() => void) | undefined;

  constructor(limits: IngressLimits, serve: Serve) {
    this.#limits = limits;
    this.#serve = serve;
  }

  get size(): number {
    return this.#bySocket.size;
  }

  get(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#bySocket.values();
  }

  /** Takes a new socket, or destroys it if its address has too many. */
  add(socket: Socket): void {
    const connection = new Connection(socket, this.#serve, this.#limits.pipelinedMax);
    const { remoteAddress } = connection;
    const count = (this.#countByAddress.get(remoteAddress) ?? 0) + 1;
    const countMax = this.#limits.connectionsPerAddressMax;
    if (countMax > 0 && count > countMax) {
      socket.destroy();
      return;
    }
    this.#bySocket.set(socket, connection);
    this.#countByAddress.set(remoteAddress, count);
    socket.once('close', () => this.#remove(connection));
  }

  /** Calls back once when no connection is left; at once if none is. */
  whenEmpty(onEmpty: () => void): void {
    if (this.size === 0) onEmpty();
    else this.#onEmpty = onEmpty;
  }

  #remove({ socket, remoteAddress }: Connection): void {
    this.#bySocket.delete(socket);
    const count = (this.#countByAddress.get(remoteAddress) ?? 1) - 1;
    if (count === 0) this.#countByAddress.delete(remoteAddress);
    else this.#countByAddress.set(remoteAddress, count);
    if (this.size === 0) this.#onEmpty?.();
  }
}
