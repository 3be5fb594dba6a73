// The official client, fed with bytes instead of a network.

import { Ollama } from 'ollama';
import { type Answer, bodyOf } from '../sdk.ts';

/** A client whose every request gets this answer; `requests` are the paths and bodies that it sent. */
export function ollamaClientOf(answer: Answer): { client: Ollama; requests: { path: string; body: unknown }[] } {
  const requests: { path: string; body: unknown }[] = [];
  const fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
    requests.push({ path: new URL(url).pathname, body });
    const headers = { 'content-type': 'application/x-ndjson', ...answer.headers };
    return Promise.resolve(new Response(bodyOf(answer), { status: answer.status ?? 200, headers }));
  };
  return { client: new Ollama({ host: 'http://gateway:11434', fetch }), requests };
}

/** What the official client would send. */
export async function sentBy(call: (client: Ollama) => Promise<unknown>): Promise<Buffer> {
  const { client, requests } = ollamaClientOf({ body: '{"done":true}' });
  await call(client);
  return Buffer.from(JSON.stringify(requests[0]?.body));
}
