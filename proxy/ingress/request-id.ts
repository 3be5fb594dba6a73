// Names of requests: the client's own if it can go into headers and logs as it is, else a new one.

import type { IncomingHeaders } from './exchange.ts';

/** No spaces, quotes, controls or separators of any log format; 128 holds every trace id that is in use. */
const saneId = /^[A-Za-z0-9._:-]{1,128}$/;

/** The request's own `x-request-id` if it is sane, else a new id. A repeated header is never sane. */
export function requestIdOf(headers: IncomingHeaders, newId: () => string): string {
  const own = headers['x-request-id'];
  return typeof own === 'string' && saneId.test(own) ? own : newId();
}

/**
 * Makes ids out of a prefix that no other process has (a few random bytes) and a count. They need to be unique and
 * cheap, not secret: nothing can be had with an id.
 */
export function createRequestIds(prefix: string): () => string {
  let count = 0;
  return function newRequestId() {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
