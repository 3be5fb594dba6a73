// Answers that the data port makes before there is an exchange: what they say, and their bytes on the wire.

import { STATUS_CODES } from 'node:http';
import { ClientError, type ErrorCode } from '../canonical/client-error.ts';
import type { EncodedError } from '../protocols/protocol.ts';

/** Puts an error into the shape of the protocol that a path belongs to. */
export type EncodeError = (path: string, error: ClientError, requestId: string) => EncodedError;

/** Why a request goes no further than the data port. */
export interface Refusal {
  readonly error: ClientError;
  /** Statuses of HTTP itself (408, 417, 431, 505) have no entry in the catalogue. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const none: Readonly<Record<string, string>> = {};

/** A refusal with a code of the catalogue. */
export function refusal(code: ErrorCode, headers: Readonly<Record<string, string>> = none): Refusal {
  // One second: what holds the memory is answered within seconds, and the client's own backoff does the rest.
  const error = code === 'overloaded' ? new ClientError(code, { retryAfterMs: 1000 }) : new ClientError(code);
  return { error, status: error.status, headers };
}

/** A refusal that is a matter of HTTP: the code is `invalid_request`, or another one if it says more. */
export function httpRefusal(status: number, message: string, code: ErrorCode = 'invalid_request'): Refusal {
  return { error: new ClientError(code, { message }), status, headers: none };
}

/** The refusal for an error of Node's HTTP parser or of its timers; undefined if there is nobody left to tell. */
export function toRefusal(code: string | undefined): Refusal | undefined {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpRefusal(408, 'The request was not complete in time.');
    case 'HPE_HEADER_OVERFLOW':
      return httpRefusal(431, 'The request line and header fields are too large.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return httpRefusal(413, 'The chunk extensions are too large.', 'request_too_large');
    default:
      return code?.startsWith('HPE_') ? httpRefusal(400, 'The request is not valid HTTP.') : undefined;
  }
}

/** What the wire form of a refusal needs besides the refusal. */
export interface RefusalWire {
  readonly requestId: string;
  readonly nowMs: number;
  /** Answers to HEAD have none. */
  readonly withBody: boolean;
}

/** The whole answer as bytes. The connection closes after it, so that nothing the client still sends is a request. */
export function encodeRefusal(encoded: EncodedError, refused: Refusal, wire: RefusalWire): Buffer {
  const headers: Record<string, string | number> = {
    ...encoded.headers,
    ...refused.headers,
    'x-request-id': wire.requestId,
    'content-length': encoded.body.length,
    connection: 'close',
    date: new Date(wire.nowMs).toUTCString(),
  };
  let head = `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status] ?? 'Error'}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  const bytes = Buffer.from(`${head}\r\n`, 'latin1');
  return wire.withBody ? Buffer.concat([bytes, encoded.body]) : bytes;
}
