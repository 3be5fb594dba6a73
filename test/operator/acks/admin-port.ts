// The admin port of a proxy, as far as an operator asks it: what it says is up to the test.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProxyAddress } from '../../../operator/acks/ask-proxy.ts';

/** How a request is answered. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** One that listens on every address of the machine. */
export interface AdminPort extends AsyncDisposable {
  readonly port: number;
  readonly address: ProxyAddress;
  /** Paths that were asked, in their order. */
  readonly asked: string[];
  /** By path; what is not there is answered with 404. */
  readonly answers: Map<string, Answer>;
  /** Answers as a proxy that serves a revision. */
  serve(revision: number | null, more?: { readonly lastRefusal?: object; readonly backends?: readonly object[] }): void;
}

/** Opens one. */
export async function openAdminPort(host = '127.0.0.1'): Promise<AdminPort> {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers.get(path) ?? ((_request, missing) => void missing.writeHead(404).end('{}'));
    answer(request, response);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: { proxy: 'one', host, port },
    asked,
    answers,
    serve(revision, { lastRefusal, backends = [] } = {}) {
      answers.set('/config', says({ revision, lastRefusal }));
      answers.set('/state/disabled', says({ backends, keys: [] }));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer in JSON. */
export function says(body: unknown): Answer {
  return (_request, response) => void response.writeHead(200).end(JSON.stringify(body));
}
