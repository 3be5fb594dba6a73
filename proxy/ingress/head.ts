// What the head of a request must be like beyond what Node's strict parser already demands (security.md, row 12).
// Two readers of one request must never disagree where it ends, whom it is for, or who sent it.

import type { IncomingHttpHeaders } from 'node:http';
import type { IngressLimits } from './limits.ts';
import { httpRefusal, refusal, type Refusal } from './refusal.ts';

/** The part of node:http's IncomingMessage that is looked at. Duplicate header fields must come joined by commas. */
export interface RequestHead {
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** Only origin-form, only visible ASCII, no fragment: what RFC 9112 §3.2.1 allows and every router reads alike. */
const originForm = /^\/[!"$-~]*$/;
/** Names, addresses and ports; a joined duplicate has a comma. Empty is allowed (RFC 9112 §3.2). */
const plainHost = /^[\w.~:[\]-]*$/;

/** Says why a request's head is refused; undefined if it is in order. `target` is the request target as it came. */
export function checkHead(head: RequestHead, target: string, limits: IngressLimits): Refusal | undefined {
  const { headers, httpVersionMinor } = head;
  if (head.httpVersionMajor !== 1 || httpVersionMinor > 1) return httpRefusal(505, 'Only HTTP/1.1 is spoken here.');
  if (head.rawHeaders.length > 2 * limits.headerFieldsMax)
    return httpRefusal(431, 'The request has too many header fields.');
  if (!originForm.test(target)) return refusal('invalid_path');
  if (headers.host === undefined ? httpVersionMinor === 1 : !plainHost.test(headers.host)) {
    return httpRefusal(400, 'The Host header is missing, repeated or not valid.');
  }
  if (headers['transfer-encoding'] !== undefined && !isPlainChunked(head)) {
    return httpRefusal(400, 'The only transfer encoding is chunked, alone and without a content length.');
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return httpRefusal(417, 'The only expectation that can be met is 100-continue.');
  }
  // Other upgrades are ignored, as RFC 9110 §7.8 allows: some HTTP clients offer h2c with every first request.
  if (headers.upgrade !== undefined && /websocket/i.test(headers.upgrade)) {
    return httpRefusal(400, 'WebSocket connections are not supported.');
  }
  return checkBody(headers, limits);
}

function isPlainChunked({ headers, httpVersionMinor }: RequestHead): boolean {
  const chunked = headers['transfer-encoding']?.toLowerCase() === 'chunked';
  return chunked && httpVersionMinor === 1 && headers['content-length'] === undefined;
}

function checkBody(headers: IncomingHttpHeaders, limits: IngressLimits): Refusal | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity' && !isGzip(encoding)) {
    return refusal('unsupported_encoding', { 'accept-encoding': 'gzip, identity' });
  }
  return Number(headers['content-length']) > limits.bodyBytesMax ? refusal('request_too_large') : undefined;
}

/** Whether a content encoding is gzip by either of its names, and nothing else. */
export function isGzip(encoding: string): boolean {
  const name = encoding.toLowerCase();
  return name === 'gzip' || name === 'x-gzip';
}
