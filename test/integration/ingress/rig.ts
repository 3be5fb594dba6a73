// A real ingress on a free port, and a client that writes bytes as they are given to it.

import { connect, type Socket } from 'node:net';
import type { ClientError } from '../../../proxy/canonical/client-error.ts';
import type { Exchange, Handler } from '../../../proxy/ingress/exchange.ts';
import { createIngress, type Ingress } from '../../../proxy/ingress/ingress.ts';
import { defaultIngressLimits, type IngressLimits } from '../../../proxy/ingress/limits.ts';
import { createRequestIds } from '../../../proxy/ingress/request-id.ts';
import type { EncodedError } from '../../../proxy/protocols/protocol.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { eventually } from '../../support/eventually.ts';

/** An ingress under test, and what it has done so far. */
export interface Rig extends AsyncDisposable {
  readonly ingress: Ingress;
  readonly port: number;
  readonly url: string;
  /** Every exchange that reached the handler. */
  readonly exchanges: Exchange[];
  readonly errors: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[];
}

/** Answers with what it was asked. */
export async function echo(exchange: Exchange): Promise<void> {
  const { method, path, query, body } = exchange;
  const answer = JSON.stringify({ method, path, query, body: body.toString('utf8') });
  exchange.reply(200, { 'content-type': 'application/json' }, Buffer.from(answer));
}

function encodeError(path: string, error: ClientError, requestId: string): EncodedError {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-sluice-error': error.code };
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  const body = Buffer.from(JSON.stringify({ error: { code: error.code, message: error.message, path, requestId } }));
  return { status: error.status, headers, body };
}

/** Starts an ingress with the given handler; limits are the real ones but for what is given. */
export async function startRig(
  handler: Handler = echo,
  limits: Partial<IngressLimits> = {},
  host = '127.0.0.1',
): Promise<Rig> {
  const exchanges: Exchange[] = [];
  const errors: Rig['errors'] = [];
  const ingress = createIngress({
    handler: (exchange) => {
      exchanges.push(exchange);
      return handler(exchange);
    },
    encodeError,
    clock: systemClock,
    newId: createRequestIds('new'),
    limits: { ...defaultIngressLimits, lingerMs: 200, ...limits },
    log: { debug: () => undefined, error: (fields, message) => errors.push({ fields, message }) },
  });
  const { port } = await ingress.listen(host, 0);
  const url = `http://127.0.0.1:${port}`;
  return { ingress, port, url, exchanges, errors, [Symbol.asyncDispose]: () => ingress.close() };
}

/** What came back on a raw connection. */
export interface RawAnswer {
  readonly text: string;
  /** Statuses of the answers in it, in order. */
  readonly statuses: readonly number[];
  /** Whether the server closed the connection within the time given. */
  readonly closed: boolean;
}

/** A raw connection to a rig. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket;
  readonly text: () => string;
  write(bytes: string | Buffer): void;
  /** Resolves with everything received once `pattern` is in it. */
  until(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Resolves when the server has closed, or after `withinMs`. */
  closed(withinMs?: number): Promise<RawAnswer>;
}

/** Opens a raw connection that stays half-open when the server ends its side, so that both ends can be seen. */
export async function openRaw(port: number, { half = false } = {}): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: half });
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => (ended = true));
  socket.on('close', () => (ended = true));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  const text = () => Buffer.concat(chunks).toString('latin1');
  return {
    socket,
    text,
    write: (bytes) => void socket.write(bytes),
    async until(pattern, withinMs = 5000) {
      await eventually(() => pattern.test(text()), withinMs);
      return text();
    },
    async closed(withinMs = 3000) {
      await eventually(() => ended, withinMs).catch(() => undefined);
      const statuses = [...text().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      return { text: text(), statuses, closed: ended };
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

/** Sends bytes on a connection of their own and waits for the server to close it. */
export async function sendRaw(port: number, bytes: string | Buffer, withinMs?: number): Promise<RawAnswer> {
  await using client = await openRaw(port);
  client.write(bytes);
  return await client.closed(withinMs);
}

/** A promise and the function that resolves it. */
export function signalled<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, resolve };
}
