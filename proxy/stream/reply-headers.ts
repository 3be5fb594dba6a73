// Response headers that reach a client: an allow-list. Cookies, servers and rate-limit facts of keys that are not the
// client's stay here (failure.md, rule 17).

import type { SignalHeaders } from '../canonical/failure.ts';

const passed = ['content-type', 'content-language', 'content-disposition', 'cache-control'] as const;

const none: readonly (typeof passed)[number][] = [];

/** The upstream's own names for its request id, most specific first. */
const requestIds = ['x-request-id', 'request-id', 'apim-request-id'] as const;

/** Longer ids are not ids. */
const requestIdMax = 256;

/** The headers of an answer that may pass. `ofBody` stand for those of its body where that is one of ours. */
export function replyHeaders(
  upstream: SignalHeaders,
  ofBody?: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers: Record<string, string> = { ...ofBody };
  for (const name of ofBody === undefined ? passed : none) {
    const value = upstream[name];
    if (value !== undefined) headers[name] = value;
  }
  for (const name of requestIds) {
    const value = upstream[name];
    if (value === undefined || value.length > requestIdMax) continue;
    headers['x-upstream-request-id'] = value;
    break;
  }
  return headers;
}
