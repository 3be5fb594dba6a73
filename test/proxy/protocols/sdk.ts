// The official clients, both versions, fed with bytes instead of a network.

import OpenAI from 'openai';
import OpenAI6 from 'openai6';

/** What a client is answered. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Bytes per chunk; all at once if absent. */
  readonly chunkBytes?: number;
}

/** A client whose every request gets this answer; `requests` are the bodies it sent. */
export function clientOf(version: 'v6' | 'v7', answer: Answer): { client: OpenAI; requests: unknown[] } {
  const requests: unknown[] = [];
  const fetch = (_url: unknown, init?: { body?: unknown }): Promise<Response> => {
    if (typeof init?.body === 'string') requests.push(JSON.parse(init.body));
    const headers = { 'content-type': 'text/event-stream', ...answer.headers };
    return Promise.resolve(new Response(bodyOf(answer), { status: answer.status ?? 200, headers }));
  };
  const options = { apiKey: 'k', baseURL: 'http://gateway/v1', maxRetries: 0, fetch };
  // The two versions have the same surface as far as the tests go.
  const client = version === 'v7' ? new OpenAI(options) : (new OpenAI6(options) as unknown as OpenAI);
  return { client, requests };
}

/** The body of an answer, in its chunks. */
export function bodyOf({ body, chunkBytes }: Answer): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(body as string);
  const size = chunkBytes ?? Math.max(1, bytes.length);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)));
      at += size;
    },
  });
}
