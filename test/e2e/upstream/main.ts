// A scripted upstream in a pod: speaks OpenAI's chat completions, whole and streamed, and says and does at /control what a
// test asks of it. It runs in the Sluice image, from a ConfigMap, and may import nothing.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What a client asks for in its message: so many pieces, so far apart. */
interface Wish {
  readonly pieces?: number;
  readonly everyMs?: number;
}

const name = process.env['NAME'] ?? 'upstream';
const expectedKey = process.env['API_KEY'];
let failWith = 0;
let asked = 0;
let refusedKeys = 0;

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
// Longer than any pool of the proxies keeps a connection that is idle: it is theirs to close.
server.keepAliveTimeout = 120_000;
server.listen(8080);
process.once('SIGTERM', () => process.exit(0));

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (request.url === '/control') return control(text, response);
  asked += 1;
  if (failWith !== 0) return answer(response, failWith, { error: { message: `${name} fails as it was told` } });
  if (expectedKey !== undefined && request.headers.authorization !== `Bearer ${expectedKey}`) {
    refusedKeys += 1;
    return answer(response, 401, { error: { message: 'this is not my key' } });
  }
  await chat(JSON.parse(text), response);
}

function control(text: string, response: ServerResponse): void {
  if (text !== '') failWith = (JSON.parse(text) as { readonly failWith: number }).failWith;
  answer(response, 200, { name, failWith, asked, refusedKeys });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly content: string }[];
}

async function chat({ model, stream, messages }: ChatRequest, response: ServerResponse): Promise<void> {
  const { pieces = 3, everyMs = 0 } = wishIn(messages.at(-1)?.content ?? '');
  const texts = Array.from({ length: pieces }, (_, index) => `${name}-${index} `);
  const fixed = { id: `chatcmpl-${asked}`, created: 1, model };
  if (stream !== true) {
    await delay(everyMs);
    const message = { role: 'assistant', content: texts.join('') };
    const usage = { prompt_tokens: 1, completion_tokens: pieces, total_tokens: pieces + 1 };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return answer(response, 200, { ...fixed, object: 'chat.completion', choices, usage });
  }
  const frame = (delta: object, reason: string | null): string =>
    `data: ${JSON.stringify({ ...fixed, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const content of texts) {
    response.write(frame({ role: 'assistant', content }, null));
    await delay(everyMs);
  }
  response.end(`${frame({}, 'stop')}data: [DONE]\n\n`);
}

function wishIn(content: string): Wish {
  return content.startsWith('{') ? (JSON.parse(content) as Wish) : {};
}
