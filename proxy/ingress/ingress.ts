// The data port: HTTP in, exchanges out. Composes Node's HTTP server, fastify and the parts beside it.

import { createServer, METHODS, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import type { Clock } from '../canonical/clock.ts';
import { Connections } from './connection.ts';
import { destroyAll, drain, type DrainReport } from './drain.ts';
import type { Handler } from './exchange.ts';
import type { IngressLimits } from './limits.ts';
import { httpRefusal, type EncodeError } from './refusal.ts';
import { HeldBytes } from './request-body.ts';
import type { ShedReason } from './overload.ts';
import { createServe, refuseBroken, refuseRequest, type IngressLog, type ServeContext } from './serve.ts';

/** What an ingress is made of. */
export interface IngressOptions {
  readonly handler: Handler;
  /** For the errors that are made here. */
  readonly encodeError: EncodeError;
  readonly clock: Clock;
  /** A new request id; unique, not secret. */
  readonly newId: () => string;
  readonly limits: IngressLimits;
  /** Why a new request is not to be taken, if it is not; left out, all are taken. */
  readonly shed?: (requestsInFlight: number) => ShedReason | undefined;
  readonly log: IngressLog;
}

/** A place to listen at. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The data port. */
export interface Ingress {
  /** Listens; port 0 takes a free one. Rejects if the address cannot be had. */
  listen(host: string, port: number): Promise<ListenAddress>;
  /** Stops listening at once and resolves when no connection is left; `deadlineMs` counts from now. */
  drain(options: { readonly deadlineMs: number }): Promise<DrainReport>;
  /** Destroys everything at once. */
  close(): Promise<void>;
  /** Requests whose head has been read and whose answer is not complete. */
  inFlight(): number;
  /** Open connections. */
  connections(): number;
  /** Bytes of request bodies that are held for those. */
  bodyBytesHeld(): number;
}

/** Makes a data port that does not listen yet. */
export function createIngress(options: IngressOptions): Ingress {
  const { clock, limits, log } = options;
  const context: ServeContext = {
    ...options,
    shed: options.shed ?? (() => undefined),
    held: new HeldBytes(limits.bodyBytesHeldMax),
    draining: false,
    closingIdle: false,
    refusing: false,
    requestsInFlight: 0,
    requestsDone: 0,
  };
  const connections = new Connections(limits, createServe(context));
  const app = createApp(context, connections);
  let drained: Promise<DrainReport> | undefined;

  async function drainOnce(deadlineMs: number): Promise<DrainReport> {
    // Not the HTTP server's own close: that destroys idle connections at once and stops looking for slow requests.
    NetServer.prototype.close.call(app.server);
    const report = await drain({ context, connections, clock, deadlineMs });
    await app.close();
    return report;
  }

  return {
    async listen(host, port) {
      await app.listen({ host, port });
      app.server.on('error', (err) => log.error({ err }, 'listener failed'));
      const { address, port: bound } = app.server.address() as AddressInfo;
      return { host: address, port: bound };
    },
    drain({ deadlineMs }) {
      drained ??= drainOnce(deadlineMs);
      return drained;
    },
    async close() {
      NetServer.prototype.close.call(app.server);
      destroyAll(connections);
      await app.close();
    },
    inFlight: () => context.requestsInFlight,
    connections: () => connections.size,
    bodyBytesHeld: () => context.held.bytes,
  };
}

/**
 * Fastify carries the server and its life; its router is sent to one route, because only Sluice's own may look at a
 * path (security.md, row 6), and its reply is hijacked before bodies and serialisers come into play.
 */
function createApp(context: ServeContext, connections: Connections): FastifyInstance {
  const app = fastify({
    serverFactory: (listener) => createHttpServer(listener as RequestListener, context, connections),
    rewriteUrl: () => '/',
    genReqId: () => '',
    clientErrorHandler: (error, socket) =>
      refuseBroken(context, connections.get(socket as Socket), error, socket as Socket),
  });
  app.addHook('onRequest', (request, reply, _next) => {
    reply.hijack();
    connections.get(request.raw.socket)?.take(request.raw, reply.raw);
  });
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  app.all('/', () => undefined);
  return app;
}

function createHttpServer(listener: RequestListener, context: ServeContext, connections: Connections): Server {
  const { limits } = context;
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      insecureHTTPParser: false,
      // Answered here instead, with a request id.
      requireHostHeader: false,
      // What is repeated must be seen to be: Node would drop all but the first Host, Authorization, Content-Type.
      joinDuplicateHeaders: true,
      noDelay: true,
      // What waits for a client that takes nothing: half of what Node would let wait.
      highWaterMark: 32 * 1024,
      // Finds clients that vanished without a word while their stream is silent.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    },
    listener,
  );
  // One more than allowed, so that too many can be told from just enough: Node drops the rest silently.
  server.maxHeadersCount = limits.headerFieldsMax + 1;
  server.maxConnections = limits.connectionsMax;
  server.on('checkContinue', listener);
  server.on('checkExpectation', listener);
  server.on('connection', (socket) => connections.add(socket));
  server.on('connect', (request: IncomingMessage, stream) => {
    const socket = stream as Socket;
    const connection = connections.get(socket);
    // Node has taken its own listeners off: an error of this socket would otherwise end the process.
    socket.on('error', () => socket.destroy());
    if (connection === undefined) socket.destroy();
    else
      refuseRequest(context, connection, request, httpRefusal(405, 'CONNECT is not supported.', 'method_not_allowed'));
  });
  return server;
}
