// Upstreams that cost as little as a server can: for loads whose limit is to be the proxy.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that listens. */
export interface PlainUpstream extends AsyncDisposable {
  /** What a provider of type OpenAICompatible has for an address. */
  readonly baseURL: string;
  /** Requests so far. */
  readonly requests: number;
}

/** Answers a request whose body has been thrown away. */
export type PlainAnswer = (response: ServerResponse, request: IncomingMessage) => void;

/** Starts an upstream. */
export async function startPlainUpstream(answer: PlainAnswer): Promise<PlainUpstream> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.on('error', () => undefined);
    request.on('end', () => answer(response, request));
  });
  server.keepAliveTimeout = 60_000;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A whole chat completion. */
export const completion = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }),
);

/** Sends a whole answer. */
export function sendJson(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
