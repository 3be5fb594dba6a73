// An upstream that knows keys: each by what it answers to it.

import { chat } from './chat.ts';
import { answer } from './scripts.ts';
import type { Script, UpstreamRequest } from './upstream.ts';

/** The key of a request. */
export function keyOf({ headers }: UpstreamRequest): string {
  return (headers['authorization'] ?? '').replace('Bearer ', '');
}

/** Answers by key; one that is not named works. Answers of a working key say which it was. */
export function byKey(scripts: Readonly<Record<string, Script>>): Script {
  return (exchange) => {
    const key = keyOf(exchange.request);
    return (scripts[key] ?? chat(key))(exchange);
  };
}

/** What vendors say of keys, by status. */
export const keyRefusals: Readonly<Record<'401' | '402' | '403' | '429' | 'quota', Script>> = {
  '401': refusal(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'),
  '402': refusal(402, 'Insufficient balance.', 'billing_error', 'insufficient_balance'),
  '403': refusal(403, 'You may not use this model.', 'permission_error', 'permission_denied'),
  '429': refusal(429, 'Rate limit reached.', 'requests', 'rate_limit_exceeded'),
  quota: refusal(429, 'You exceeded your current quota.', 'insufficient_quota', 'insufficient_quota'),
};

/** A 429 that says when the limit ends. */
export function limited(seconds: number): Script {
  const error = { message: 'Rate limit reached.', type: 'requests', param: null, code: 'rate_limit_exceeded' };
  return answer({ error }, { status: 429, headers: { 'retry-after': String(seconds) } });
}

function refusal(status: number, message: string, type: string, code: string): Script {
  return answer({ error: { message, type, param: null, code } }, { status });
}
