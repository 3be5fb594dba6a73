// A scripted upstream on real sockets: it can answer anything, or stop at any byte in any way, and its log of requests and
// of their sockets is the truth that tests compare a gateway with.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RequestReader, type WireRequest } from './upstream-wire.ts';

/** One request as the upstream saw it. Times by `performance.now()`. */
export interface UpstreamRequest {
  /** Counts from 1, over all connections. */
  readonly number: number;
  readonly method: string;
  readonly target: string;
  /** By lower-case name; the last where one is repeated. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawFields: WireRequest['fields'];
  readonly body: Buffer;
  /** The body as JSON; an empty object where it is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Which connection it came on, counted from 1, and how many came on it before. */
  readonly connection: number;
  readonly earlierOnConnection: number;
  readonly receivedAtMs: number;
  /** Set when the connection is closed, by whomever. */
  closedAtMs: number | undefined;
  /** Set when the script has sent all that it was going to. */
  answeredAtMs: number | undefined;
}

/** What a script works with. Once the connection is closed, everything resolves at once and does nothing. */
export interface UpstreamExchange {
  readonly request: UpstreamRequest;
  /** Sends bytes; resolves when the connection takes more. */
  send(bytes: Uint8Array | string): Promise<void>;
  wait(ms: number): Promise<void>;
  /** Closes the connection after what was sent (FIN). */
  end(): void;
  /** Breaks the connection (RST). */
  reset(): void;
  /** Resolves when the connection is closed: a script that awaits it hangs until the other side has had enough. */
  readonly closed: Promise<void>;
}

/** Answers one request. Whoever returns without ending leaves the connection open for the next request. */
export type Script = (exchange: UpstreamExchange) => void | Promise<void>;

/** An upstream under the control of a test. */
export class ScriptedUpstream {
  /** Answers requests from now on. */
  script: Script;
  /** Requests that a connection serves; a further one finds it reset. As servers do that close idle connections. */
  requestsPerConnection = Infinity;
  /** Answers as soon as a request has begun, and reads no more of it than has come. */
  onHead: Script | undefined;
  readonly requests: UpstreamRequest[] = [];
  /** Connections accepted so far, and those that were reset because a further request came. */
  connectionsTotal = 0;
  staleResets = 0;
  readonly #sockets = new Map<Socket, { busy: boolean }>();
  #server: Server | undefined;
  #port = 0;

  constructor(script: Script) {
    this.script = script;
  }

  get port(): number {
    return this.#port;
  }

  /** What a provider of type OpenAICompatible has for an address. */
  get baseURL(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Listens, again on the same port after `refuse`. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    this.#server.listen({ port: this.#port, host: '127.0.0.1', backlog: 1024 });
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and breaks every connection: connections are refused until `accept`. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.closeConnections();
    await closed;
  }

  closeConnections(): void {
    for (const socket of this.#sockets.keys()) socket.resetAndDestroy();
  }

  /** Closes those connections (FIN) that have served a request and have none now. */
  closeIdleConnections(): void {
    for (const [socket, { busy }] of this.#sockets) if (!busy) socket.end();
  }

  /** Forgets the requests so far. */
  forget(): void {
    this.requests.length = 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.refuse();
  }

  #serve(socket: Socket): void {
    const connection = ++this.connectionsTotal;
    const reader = new RequestReader();
    const served: UpstreamRequest[] = [];
    const { promise: closed, resolve: tellClosed } = Promise.withResolvers<void>();
    let turn = Promise.resolve();
    const state = { busy: true };
    this.#sockets.set(socket, state);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const request of served) request.closedAtMs ??= performance.now();
      tellClosed();
    });
    socket.on('data', (chunk: Buffer) => {
      if (served.length >= this.requestsPerConnection || !socket.writable) {
        this.staleResets += 1;
        socket.resetAndDestroy();
        return;
      }
      const wires = reader.push(chunk);
      if (this.onHead !== undefined && reader.isInside) {
        socket.pause();
        const begun = { method: '', target: '', fields: [], body: Buffer.alloc(0) };
        turn = this.#answer(this.#note(begun, connection, 0), socket, closed, this.onHead);
        return;
      }
      for (const wire of wires) {
        const request = this.#note(wire, connection, served.length);
        served.push(request);
        state.busy = true;
        turn = turn.then(async () => {
          await this.#answer(request, socket, closed);
          state.busy = false;
        });
      }
    });
  }

  #note(wire: WireRequest, connection: number, earlierOnConnection: number): UpstreamRequest {
    const request = new NotedRequest(wire, this.requests.length + 1, connection, earlierOnConnection);
    this.requests.push(request);
    return request;
  }

  async #answer(request: UpstreamRequest, socket: Socket, closed: Promise<void>, script = this.script): Promise<void> {
    await script({
      request,
      closed,
      async send(bytes) {
        if (socket.destroyed || !socket.writable || socket.write(bytes)) return;
        await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
      },
      wait: (ms) => waitOrClosed(ms, closed),
      end: () => void socket.end(),
      reset: () => void socket.resetAndDestroy(),
    });
    request.answeredAtMs = performance.now();
  }
}

class NotedRequest implements UpstreamRequest {
  readonly number: number;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawFields: WireRequest['fields'];
  readonly body: Buffer;
  readonly connection: number;
  readonly earlierOnConnection: number;
  readonly receivedAtMs = performance.now();
  closedAtMs: number | undefined;
  answeredAtMs: number | undefined;
  #json: Readonly<Record<string, unknown>> | undefined;

  constructor({ method, target, fields, body }: WireRequest, number: number, connection: number, earlier: number) {
    this.number = number;
    this.method = method;
    this.target = target;
    this.headers = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
    this.rawFields = fields;
    this.body = body;
    this.connection = connection;
    this.earlierOnConnection = earlier;
  }

  get json(): Readonly<Record<string, unknown>> {
    this.#json ??= this.body[0] === 0x7b ? (JSON.parse(this.body.toString()) as Record<string, unknown>) : {};
    return this.#json;
  }
}

async function waitOrClosed(ms: number, closed: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([new Promise((resolve) => (timer = setTimeout(resolve, ms))), closed]);
  clearTimeout(timer);
}

/** Starts an upstream. */
export async function startUpstream(script: Script): Promise<ScriptedUpstream> {
  const upstream = new ScriptedUpstream(script);
  await upstream.accept();
  return upstream;
}
