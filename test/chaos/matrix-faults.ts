// The rows of the table of failures that come before content, each as an upstream shows it in whatever protocol it is asked
// in: what the fault matrix is made of. failure.md numbers the rows.

import { answer, stopAtOnce } from '../support/scripts.ts';
import type { Script } from '../support/upstream.ts';
import { encodeChunk, encodeHead, lastChunk } from '../support/upstream-wire.ts';
import { speak, type Vendor } from '../support/vendors/vendor.ts';

/** One way to fail. */
export interface MatrixFault {
  readonly row: string;
  readonly name: string;
  /** What the upstream does; undefined where a request never reaches one. */
  readonly script?: (vendor: Vendor) => Script;
  /** Address that leads nowhere, where no script is asked. */
  readonly nowhere?: 'no name' | 'a closed port' | 'a silent port' | 'no TLS';
  /** It shows only when a deadline has passed. */
  readonly slow?: true;
  readonly only?: 'stream' | 'whole';
  /** It says as much against the request as against the backend. */
  readonly poisonous?: true;
}

function errorOf(vendor: Vendor, type: string, code: string | null): object {
  if (vendor.type === 'Anthropic') return { type: 'error', error: { type, message: 'it broke' } };
  if (vendor.type === 'Ollama') return { error: 'it broke' };
  return { error: { message: 'it broke', type, param: null, code } };
}

function status(
  code: number,
  { type = 'server_error', headers = {} }: { type?: string; headers?: Readonly<Record<string, string>> } = {},
): (vendor: Vendor) => Script {
  return (vendor) => answer(errorOf(vendor, type, null), { status: code, headers });
}

function head(vendor: Vendor): Buffer {
  return encodeHead(200, { 'content-type': vendor.streamType, 'transfer-encoding': 'chunked' });
}

/** A stream that says nothing: its head, and then. */
function silent(then: 'end' | 'reset' | 'stall'): (vendor: Vendor) => Script {
  return (vendor) => async (exchange) => {
    await exchange.send(head(vendor));
    if (then === 'end') return exchange.send(lastChunk);
    if (then === 'reset') exchange.reset();
    await exchange.closed;
  };
}

/** A whole answer of which half comes. */
function half(then: 'end' | 'stall'): (vendor: Vendor) => Script {
  return (vendor) => async (exchange) => {
    const wire = Buffer.from(JSON.stringify(vendor.whole({ text: 'half of it' }, exchange.request)));
    const fields = { 'content-type': 'application/json', 'content-length': String(wire.length) };
    await exchange.send(Buffer.concat([encodeHead(200, fields), wire.subarray(0, wire.length / 2)]));
    if (then === 'end') exchange.end();
    await exchange.closed;
  };
}

/** An error inside a stream that has said nothing yet. */
function errorFirst(vendor: Vendor): Script {
  return async (exchange) => {
    const fault = vendor.fault?.('it broke', exchange.request) ?? `${JSON.stringify({ error: 'it broke' })}\n`;
    await exchange.send(Buffer.concat([head(vendor), encodeChunk(fault)]));
    await exchange.send(lastChunk);
  };
}

/** Whole, with not a word and not a token in it. */
function saysNothing(vendor: Vendor): Script {
  const mute = (frame: string | Buffer): string =>
    frame.toString().replaceAll(/("(?:completion_tokens|output_tokens|eval_count)":)\d+/g, '$10');
  const silentVendor: Vendor = {
    ...vendor,
    whole: (what, request) => JSON.parse(mute(JSON.stringify(vendor.whole(what, request)))) as object,
    frames: (what, request) => vendor.frames(what, request).map(mute),
  };
  return speak(silentVendor, { text: '' });
}

/** Long enough that nothing returns while a run lasts. */
const later = { 'retry-after': '300' };

/** All of them, in the order of the table. */
export const matrixFaults: readonly MatrixFault[] = [
  { row: '1', name: 'no such name', nowhere: 'no name' },
  { row: '2', name: 'connection refused', nowhere: 'a closed port' },
  { row: '2', name: 'no handshake', nowhere: 'a silent port', slow: true },
  { row: '3', name: 'no TLS', nowhere: 'no TLS' },
  { row: '4', name: 'reset', script: () => stopAtOnce('reset') },
  { row: '5', name: 'no head', slow: true, script: () => stopAtOnce('stall') },
  { row: '6', name: 'no content', slow: true, only: 'stream', script: silent('stall') },
  { row: '7', name: '429', script: status(429, { type: 'rate_limit_error', headers: later }) },
  { row: '8', name: '429 for want of capacity', script: status(429, { type: 'overloaded_error', headers: later }) },
  { row: '9', name: '402', script: status(402, { type: 'billing_error' }) },
  { row: '10', name: '500', poisonous: true, script: status(500) },
  { row: '10', name: '502 in HTML', script: () => answer('<html>bad gateway</html>', { status: 502 }) },
  { row: '10', name: '504', script: status(504) },
  { row: '11', name: '503', script: status(503) },
  { row: '12', name: '529', script: status(529, { type: 'overloaded_error' }) },
  { row: '13', name: '408', script: status(408) },
  { row: '13', name: '424', script: status(424) },
  { row: '14', name: '401', script: status(401, { type: 'authentication_error' }) },
  { row: '15', name: '403', script: status(403, { type: 'permission_error' }) },
  { row: '16', name: '404', script: status(404, { type: 'not_found_error' }) },
  { row: '22', name: '302', script: status(302, { headers: { location: 'http://127.0.0.1:1/' } }) },
  { row: '23', name: '200 in HTML', script: () => answer('<html>hello</html>') },
  { row: '23', name: '200 without a body', script: () => answer('') },
  { row: '23', name: '200 that is an error', script: (vendor) => answer(errorOf(vendor, 'server_error', null)) },
  { row: '24', name: 'error first', poisonous: true, only: 'stream', script: errorFirst },
  { row: '26', name: 'ends before content', only: 'stream', script: silent('end') },
  { row: '26', name: 'reset before content', only: 'stream', script: silent('reset') },
  { row: '26', name: 'half of it', only: 'whole', script: half('end') },
  { row: '27', name: 'stalls', slow: true, only: 'whole', script: half('stall') },
  { row: '28', name: 'says nothing', script: saysNothing },
];
