// Stands between an operator and the API server, passes everything on, and breaks what a test has it break. It speaks plain
// HTTP to the operator, so that it can answer itself; credentials are passed on as they are.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as send } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ControlPlaneFacts } from '../cluster/client.ts';

/** A request that was passed on, or answered here. */
export interface PassedRequest {
  readonly method: string;
  readonly url: string;
  readonly atMs: number;
  readonly isWatch: boolean;
}

/** What is answered instead of the API server. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** The front. */
export interface ApiServerFront extends AsyncDisposable {
  readonly url: string;
  /** In the order in which they came. */
  readonly passed: readonly PassedRequest[];
  /** Asked about every request; undefined passes it on. */
  intercept: (request: PassedRequest) => OwnAnswer | undefined;
  /** Requests that this says true of stay here, as packets do that are sent again and again, until `deliver`. */
  hold: (request: PassedRequest) => boolean;
  /** Passes on what was held, whether or not anybody waits for an answer; resolves when all is answered. Holds no more. */
  deliver(): Promise<void>;
  /** Resets every connection; new ones work. */
  cut(): void;
  /** Ends every watch that is open, in good order. */
  endWatches(): void;
  /** Watches that are open. */
  readonly watches: number;
  /** Connections stay open and carry nothing any more, those that are made from now on neither. */
  freeze(): void;
  /** The same for the connections of watches that are open; all others work. */
  freezeWatches(): void;
  /** New connections work again; those that were frozen stay dead. */
  heal(): void;
  /** A kubeconfig like the given one that leads here. */
  kubeconfig(original: string): string;
}

interface Exchange {
  readonly response: ServerResponse;
  readonly isWatch: boolean;
  isDead: boolean;
}

/** Opens a front of a control plane. */
export async function openFront({ port, caFile }: Pick<ControlPlaneFacts, 'port' | 'caFile'>): Promise<ApiServerFront> {
  const agent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  const passed: PassedRequest[] = [];
  const sockets = new Set<Socket>();
  const exchanges = new Set<Exchange>();
  let held: (() => Promise<void>)[] = [];
  const dead = new WeakSet<Socket>();
  let isFrozen = false;
  let copies = 0;

  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const it = { method, url, atMs: performance.now(), isWatch: url.includes('watch=true') };
    passed.push(it);
    const exchange: Exchange = { response, isWatch: it.isWatch, isDead: dead.has(request.socket) };
    exchanges.add(exchange);
    response.on('close', () => exchanges.delete(exchange));
    if (exchange.isDead) return;
    const answer = front.intercept(it);
    if (answer === undefined && front.hold(it)) return keep(request);
    if (answer === undefined) return passOn(request, exchange);
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });

  function passOn(request: IncomingMessage, exchange: Exchange): void {
    const { response } = exchange;
    const { method, url: path, headers } = request;
    const far = send({
      host: '127.0.0.1',
      port,
      agent,
      method,
      path,
      headers: { ...headers, host: `127.0.0.1:${port}` },
    });
    far.on('response', (answer) => {
      if (exchange.isDead) return;
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('data', (bytes: Buffer) => exchange.isDead || response.write(bytes));
      answer.on('end', () => exchange.isDead || response.end());
      answer.on('error', () => exchange.isDead || response.destroy());
    });
    // Nobody answers there: as little is heard here.
    far.on('error', () => exchange.isDead || response.socket?.resetAndDestroy());
    response.on('close', () => far.destroy());
    request.pipe(far);
  }

  /** The answer is nobody's any more. */
  function keep(request: IncomingMessage): void {
    const body: Buffer[] = [];
    request.on('data', (bytes: Buffer) => void body.push(bytes)).on('error', () => undefined);
    const { method, url: path, headers } = request;
    held.push(async () => {
      const far = send({
        host: '127.0.0.1',
        port,
        agent,
        method,
        path,
        headers: { ...headers, host: `127.0.0.1:${port}` },
      });
      far.end(Buffer.concat(body));
      const [answer] = (await once(far, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
    });
  }

  server.on('connection', (socket) => {
    sockets.add(socket);
    if (isFrozen) dead.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const front: ApiServerFront = {
    url,
    passed,
    intercept: () => undefined,
    hold: () => false,
    async deliver() {
      front.hold = () => false;
      const all = held;
      held = [];
      for (const pass of all) await pass();
    },
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    endWatches() {
      for (const exchange of exchanges) if (exchange.isWatch && !exchange.isDead) exchange.response.end();
    },
    get watches() {
      return [...exchanges].filter(({ isWatch, isDead }) => isWatch && !isDead).length;
    },
    freeze() {
      isFrozen = true;
      for (const socket of sockets) dead.add(socket);
      for (const exchange of exchanges) exchange.isDead = true;
    },
    freezeWatches() {
      for (const exchange of exchanges) {
        if (!exchange.isWatch) continue;
        exchange.isDead = true;
        if (exchange.response.socket !== null) dead.add(exchange.response.socket);
      }
    },
    heal: () => void (isFrozen = false),
    kubeconfig(original) {
      copies += 1;
      const path = `${original}.front-${new URL(url).port}-${copies}`;
      const config = JSON.parse(readFileSync(original, 'utf8')) as object;
      // client-node takes plain HTTP only from whoever says that TLS does not matter.
      const cluster = { server: url, 'insecure-skip-tls-verify': true };
      writeFileSync(path, JSON.stringify({ ...config, clusters: [{ name: 'test', cluster }] }), { mode: 0o600 });
      return path;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await once(server, 'close');
    },
  };
  return front;
}
