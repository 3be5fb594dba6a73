// A server that answers as a test wants, and a client of the API server that talks to it.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createKubeClient, type KubeClient, type RequestObserver } from '../../../operator/kube/client.ts';
import type { Identity, KubeCredentials } from '../../../operator/kube/credentials.ts';

/** Answers one request. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A request that came in. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The server. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** Answers every request from now on. */
  answer: Answer;
  /** Connections that were ever made, and those that are open. */
  readonly connectionsMade: number;
  readonly connectionsOpen: number;
  /** Ends all connections with a reset. */
  reset(): void;
}

/** Starts it; it answers `{}` until it is told otherwise. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let connectionsMade = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, url, headers, body });
      scripted.answer(response, request);
    });
  });
  server.on('connection', (socket) => {
    connectionsMade += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const scripted = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: answering(200, {}),
    get connectionsMade() {
      return connectionsMade;
    },
    get connectionsOpen() {
      return sockets.size;
    },
    reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return scripted;
}

/** An answer with nothing behind it. */
export function answering(
  status: number,
  body: object | string = '',
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** What a test may decide about a client, and what it saw. */
export interface TestClient extends AsyncDisposable {
  readonly client: KubeClient;
  readonly refreshes: number;
  readonly ended: readonly Parameters<RequestObserver['requestEnded']>[0][];
}

/** A client of a server; `identity` says who it is, each time that it is asked. */
export function clientOf(
  { url }: { readonly url: string },
  identity: () => Promise<Identity> = () => Promise.resolve({ headers: {}, tls: {} }),
  differs: Partial<KubeCredentials> = {},
  mayWrite = (): boolean => true,
): TestClient {
  const ended: TestClient['ended'][number][] = [];
  let refreshes = 0;
  const client = createKubeClient({
    credentials: {
      server: url,
      proxyURL: undefined,
      namespace: undefined,
      identity,
      refresh: () => void (refreshes += 1),
      ...differs,
    },
    userAgent: 'sluice-operator/test',
    observer: { requestEnded: (request) => void ended.push(request) },
    monotonic: () => performance.now(),
    mayWrite,
  });
  return {
    client,
    ended,
    get refreshes() {
      return refreshes;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
