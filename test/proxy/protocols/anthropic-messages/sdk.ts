// The official clients, both versions, fed with bytes instead of a network.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import { type Answer, bodyOf } from '../sdk.ts';

export const versions = ['0.137', '1.x'] as const;

export type Version = (typeof versions)[number];

/** A client whose every request gets this answer; `requests` are the bodies and headers that it sent. */
export function clientOf(
  version: Version,
  answer: Answer,
): { client: Anthropic; requests: { body: Buffer; headers: Headers }[] } {
  const requests: { body: Buffer; headers: Headers }[] = [];
  const fetch = (_url: unknown, init?: RequestInit): Promise<Response> => {
    const body = typeof init?.body === 'string' ? init.body : '';
    requests.push({ body: Buffer.from(body), headers: new Headers(init?.headers) });
    const headers = { 'content-type': 'text/event-stream', ...answer.headers };
    return Promise.resolve(new Response(bodyOf(answer), { status: answer.status ?? 200, headers }));
  };
  const options = { apiKey: 'k', baseURL: 'http://gateway', maxRetries: 0, fetch };
  // The two versions have the same surface as far as the tests go.
  const client = version === '1.x' ? new Anthropic(options) : (new Anthropic0(options) as unknown as Anthropic);
  return { client, requests };
}

/** What clients ask here: they look only at the answer. */
export const ask = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'hi' }] };
