// Clients of a gateway: one that sees bytes and heads as they are, and the official ones.

import OpenAI from 'openai';
import OpenAI6 from 'openai6';

/** An answer, read to its end. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Set if the connection broke before the answer was whole; `text` is what had come. */
  readonly broken: boolean;
}

/** A request as a test writes it. */
export interface PlainRequest {
  readonly method?: string;
  /** An object goes as JSON. */
  readonly body?: object | string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a request and reads all of the answer. Rejects only if there is no head. */
export async function ask(url: string, { method, body, headers, signal }: PlainRequest = {}): Promise<PlainAnswer> {
  const isBytes = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? null : isBytes ? Buffer.from(body as string) : JSON.stringify(body),
    redirect: 'manual',
    ...(signal === undefined ? {} : { signal }),
  });
  const chunks: Uint8Array[] = [];
  let broken = false;
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk);
  } catch {
    broken = true;
  }
  const text = Buffer.concat(chunks).toString();
  return { status: response.status, headers: Object.fromEntries(response.headers), text, broken };
}

/** The error object of an answer of the OpenAI family. */
export function errorOf({ text }: PlainAnswer): {
  readonly code: string;
  readonly type: string;
  readonly message: string;
} {
  return (JSON.parse(text) as { error: { code: string; type: string; message: string } }).error;
}

/** The text of a whole chat completion. */
export function contentOf({ text }: PlainAnswer): string {
  const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? '';
}

/** The text of a streamed chat completion. */
export function streamedContentOf({ text }: PlainAnswer): string {
  return dataOf(text)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');
}

/** The data of the events of a stream. */
export function dataOf(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
}

/** An official client. It never retries by itself, so that every failure is seen. */
export function official(version: 'v6' | 'v7', baseURL: string, apiKey = 'nobody'): OpenAI {
  const options = { apiKey, baseURL, maxRetries: 0 };
  // The two versions have the same surface as far as the tests go.
  return version === 'v7' ? new OpenAI(options) : (new OpenAI6(options) as unknown as OpenAI);
}
