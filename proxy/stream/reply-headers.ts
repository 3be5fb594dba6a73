// Response headers that reach a client: an allow-list. Cookies, servers and rate-limit facts of keys that are not the
// client's stay here (failure.md, rule 17).

import type { SignalHeaders } from '../canonical/failure.ts';

const passed = ['content-type', 'content-language', 'content-disposition', 'cache-control'] as const;

/** The upstream's own names for its request id, most specific first. */
const requestIds = ['x-request-id', 'request-id', 'apim-request-id'] as const;

/** Longer ids are not ids. */
const requestIdMax = 256;

/** The headers of an answer that may pass as it is. */
export function replyHeaders(upstream: SignalHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of passed) {
    const value = upstream[name];
    if (value !== undefined) headers[name] = value;
  }
  nameRequest(upstream, headers);
  return headers;
}

/** The headers of an answer whose bytes are ours. */
export function rewrittenHeaders(upstream: SignalHeaders, contentType: string): Record<string, string> {
  const headers = { 'content-type': contentType };
  nameRequest(upstream, headers);
  return headers;
}

function nameRequest(upstream: SignalHeaders, headers: Record<string, string>): void {
  for (const name of requestIds) {
    const value = upstream[name];
    if (value === undefined || value.length > requestIdMax) continue;
    headers['x-upstream-request-id'] = value;
    return;
  }
}
