// One stand-in: an HTTP server that speaks the OpenAI protocol, or fails as one that is broken does.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerChat } from './chat.ts';
import { answerCompletion } from './completions.ts';
import { answerEmbeddings } from './embeddings.ts';
import { type Answer, type AnswerContext, type JsonObject, refuse, toJsonObject } from './answer.ts';
import { answerResponses } from './responses.ts';

/** How a stand-in is run. */
export interface StandInOptions {
  readonly name: string;
  /** 0: any free port. */
  readonly port: number;
  /** Answers everything with 500. */
  readonly broken: boolean;
  /** Time between two pieces of a stream. */
  readonly pieceMs: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** A running stand-in. */
export interface StandIn {
  readonly name: string;
  /** Base URL as an endpoint of an LLMProvider has it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Nobody tries out a stand-in with more; it holds requests in memory whole. */
const bodyBytesMax = 8 * 1024 * 1024;

const operations: Readonly<Record<string, (request: JsonObject, context: AnswerContext) => Answer>> = {
  '/v1/chat/completions': answerChat,
  '/v1/completions': answerCompletion,
  '/v1/responses': answerResponses,
  '/v1/embeddings': answerEmbeddings,
};

/** Starts a stand-in on loopback. Rejects if the port cannot be had. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    count += 1;
    const id = `${options.name}-${count}`;
    outgoing.setHeader('x-request-id', id);
    serve(options, id, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    name: options.name,
    url: `http://127.0.0.1:${port}/v1`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve(
  options: StandInOptions,
  id: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming);
  const { name, broken, pieceMs } = options;
  const answer = broken
    ? refuse(500, 'server_error', `${name} fails on purpose, to show what happens then`)
    : decide(options, id, incoming, body);
  if (answer.type === 'json') {
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(answer.body));
    return;
  }
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const frame of answer.frames) {
    if (outgoing.destroyed) return;
    outgoing.write(frame);
    await sleep(pieceMs);
  }
  outgoing.end();
}

function decide(
  { name, now }: StandInOptions,
  id: string,
  { method, url = '' }: IncomingMessage,
  body: string | undefined,
): Answer {
  const path = url.split('?')[0] ?? '';
  const createdAt = Math.floor(now() / 1000);
  if (path === '/v1/models' && method === 'GET') {
    const model = { id: name, object: 'model', created: createdAt, owned_by: 'sluice' };
    return { type: 'json', status: 200, body: { object: 'list', data: [model] } };
  }
  const operation = operations[path];
  if (operation === undefined) return refuse(404, 'invalid_request_error', `${name} has no ${method} ${path}`);
  if (method !== 'POST') return refuse(405, 'invalid_request_error', `${path} must be asked with POST`);
  if (body === undefined) return refuse(413, 'invalid_request_error', 'the request is too large for a stand-in');
  const request = toJsonObject(body);
  if (request === undefined) return refuse(400, 'invalid_request_error', 'the body must be a JSON object');
  return operation(request, { name, id, createdAt });
}

/** Undefined if there is too much of it. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  }
  return bytes > bodyBytesMax ? undefined : Buffer.concat(chunks).toString();
}
