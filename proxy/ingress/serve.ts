// From the head of a request to its handler: checks the head, reads the body, and answers for handlers that fail.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ClientError } from '../canonical/client-error.ts';
import { ClientExchange, originalTarget, type ExchangeContext } from './client-exchange.ts';
import type { Connection, Serve } from './connection.ts';
import type { Handler } from './exchange.ts';
import type { ShedReason } from './overload.ts';
import { checkHead } from './head.ts';
import { encodeRefusal, refusal, toRefusal, type EncodeError, type Refusal } from './refusal.ts';
import { hasBody, RequestBody } from './request-body.ts';
import { requestIdOf } from './request-id.ts';

/** Where the ingress writes what is worth a line. */
export interface IngressLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What an ingress knows of itself; only its drain changes it. */
export interface ServeContext extends ExchangeContext {
  draining: boolean;
  /** The drain's serving time is over: a connection closes as soon as it is idle. */
  closingIdle: boolean;
  /** The drain's deadline is over: nothing new is begun. */
  refusing: boolean;
  requestsInFlight: number;
  requestsDone: number;
  readonly handler: Handler;
  readonly encodeError: EncodeError;
  /** Why a new request is not to be taken, if it is not. */
  readonly shed: (requestsInFlight: number) => ShedReason | undefined;
  readonly log: IngressLog;
}

/** Makes the function that serves one request of a connection. */
export function createServe(context: ServeContext): Serve {
  return function serve(connection, request, response) {
    const refused = context.refusing
      ? refusal('draining')
      : checkHead(request, originalTarget(request), context.limits);
    if (refused !== undefined) {
      refuseRequest(context, connection, request, refused);
      return;
    }
    const exchange = new ClientExchange(request, response, connection.remoteAddress, context);
    const shed = context.shed(context.requestsInFlight);
    const body = shed === undefined && hasBody(request) ? new RequestBody(context.limits, context.held) : undefined;
    context.requestsInFlight += 1;
    connection.begin(exchange);
    response.on('close', () => {
      body?.release();
      exchange.close();
      finish(context, connection);
    });
    if (shed !== undefined) answerShed(context, exchange, shed);
    else if (body === undefined) void run(context, exchange);
    else readBody(context, connection, exchange, body);
  };
}

/** Told on the same connection, which costs less than a new one: its body is read and forgotten by node:http. */
function answerShed(context: ServeContext, exchange: ClientExchange, reason: ShedReason): void {
  const { error } = refusal('overloaded');
  const { status, headers, body } = context.encodeError(exchange.path, error, exchange.id);
  context.log.debug({ requestId: exchange.id, status, code: error.code, reason }, 'request shed');
  exchange.reply(status, headers, body);
}

function readBody(context: ServeContext, connection: Connection, exchange: ClientExchange, body: RequestBody): void {
  if (exchange.headers['expect'] !== undefined) exchange.response.writeContinue();
  body.read(exchange.request, (result) => {
    if (!Buffer.isBuffer(result)) {
      refuse(context, connection, result, exchange);
      return;
    }
    exchange.body = result;
    void run(context, exchange);
  });
}

async function run(context: ServeContext, exchange: ClientExchange): Promise<void> {
  try {
    await context.handler(exchange);
    if (exchange.started || exchange.closed) return;
    fail(context, exchange, new Error('The handler ended without an answer.'));
  } catch (error) {
    fail(context, exchange, error);
  }
}

/** A handler must not fail; if one does, its client still learns of it, and nobody else is harmed. */
function fail(context: ServeContext, exchange: ClientExchange, cause: unknown): void {
  context.log.error({ requestId: exchange.id, err: cause }, 'request handler failed');
  if (exchange.closed || exchange.response.writableEnded) return;
  try {
    if (exchange.started) return exchange.cut();
    const error = new ClientError('internal_error', { cause });
    const { status, headers, body } = context.encodeError(exchange.path, error, exchange.id);
    exchange.reply(status, headers, body);
  } catch (again) {
    context.log.error({ requestId: exchange.id, err: again }, 'error answer failed');
    exchange.cut();
  }
}

/** A client that goes on with a connection does so within this; a drain is so much longer at most. */
const reuseMs = 500;

function finish(context: ServeContext, connection: Connection): void {
  context.requestsInFlight -= 1;
  context.requestsDone += 1;
  connection.finish();
  if (context.draining) connection.idleBytesRead = connection.socket.bytesRead;
  if (context.closingIdle && connection.current === undefined) closeUnused(context, connection);
}

/**
 * The head of what has just ended may have promised to keep the connection: a client that uses it anew at once is served, and
 * told that it closes.
 */
function closeUnused({ clock }: ServeContext, connection: Connection): void {
  const { socket, idleBytesRead } = connection;
  const timer = clock.setTimer(reuseMs, () => {
    if (connection.current === undefined && socket.bytesRead === idleBytesRead) socket.destroySoon();
  });
  socket.once('close', () => timer.cancel());
}

/** Answers an error of the HTTP parser or of its timers, which may come in the middle of an exchange. */
export function refuseBroken(
  context: ServeContext,
  connection: Connection | undefined,
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  // Bytes behind a request that said it is the last: they are not looked at, and its answer is still owed.
  if (error.code === 'HPE_CLOSED_CONNECTION') return;
  const refused = toRefusal(error.code);
  if (connection?.refused === true && refused !== undefined) return;
  // An answer that has begun cannot take back its status; anything written now would be read as part of it.
  if (connection === undefined || refused === undefined || connection.current?.started === true) {
    socket.destroy();
    return;
  }
  refuse(context, connection, refused, connection.current);
}

/** Refuses a request whose head is known but for which there is no exchange. */
export function refuseRequest(
  context: ServeContext,
  connection: Connection,
  request: IncomingMessage,
  refused: Refusal,
): void {
  const id = requestIdOf(request.headers, context.newId);
  const path = originalTarget(request).split('?', 1)[0] ?? '/';
  refuse(context, connection, refused, { id, path, method: request.method ?? '' });
  request.resume();
}

/** Sends the refusal and closes the connection; what could not be parsed has no path, id or method of its own. */
function refuse(
  context: ServeContext,
  connection: Connection,
  refused: Refusal,
  request: { readonly id: string; readonly path: string; readonly method: string } | undefined,
): void {
  const { id, path, method } = request ?? { id: context.newId(), path: '/', method: '' };
  const encoded = context.encodeError(path, refused.error, id);
  context.log.debug({ requestId: id, status: refused.status, code: refused.error.code }, 'request refused');
  const wire = { requestId: id, nowMs: context.clock.now(), withBody: method !== 'HEAD' };
  connection.refuse(encodeRefusal(encoded, refused, wire), context.clock, context.limits.lingerMs);
}
