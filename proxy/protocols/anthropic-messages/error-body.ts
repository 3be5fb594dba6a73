// Errors of Sluice in Anthropic's shape. https://platform.claude.com/docs/en/api/errors

import type { ClientError } from '../../canonical/client-error.ts';
import { encodeError as encodeOpenAiError } from '../openai/error-body.ts';
import type { EncodedError } from '../protocol.ts';

/** The body of an error, and the data of an `error` event. */
export interface WireError {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

/** Anthropic's own status for an overload of its making. */
const overloadedStatus = 529;

const typeByStatus: { readonly [status: number]: string } = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const types: ReadonlySet<string> = new Set(Object.values(typeByStatus));

/** An error as this protocol's body. An upstream's own words about the client's fault are kept. */
export function toWireError(error: ClientError, requestId: string): WireError {
  return { type: 'error', error: { type: typeOf(error), message: messageOf(error) }, request_id: requestId };
}

/** An error as an HTTP answer. */
export function encodeError(error: ClientError, requestId: string): EncodedError {
  // Both vendors' official clients come from one generator: what they read of the headers is the same.
  const { headers } = encodeOpenAiError(error, requestId);
  return {
    status: statusOf(error),
    headers: { ...headers, 'request-id': requestId },
    body: Buffer.from(JSON.stringify(toWireError(error, requestId))),
  };
}

function statusOf(error: ClientError): number {
  return error.code === 'upstream_overloaded' && error.upstream === undefined ? overloadedStatus : error.status;
}

function typeOf(error: ClientError): string {
  const { upstream } = error;
  if (upstream?.type !== undefined && types.has(upstream.type)) return upstream.type;
  if (error.code === 'overloaded') return 'overloaded_error';
  const status = statusOf(error);
  return typeByStatus[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

/** Claude Code shortens its conversation when it reads these words, whichever vendor's model has refused it. */
function messageOf(error: ClientError): string {
  const told = /^prompt is too long|exceed context limit/i.test(error.message);
  return error.code !== 'context_length_exceeded' || told ? error.message : `prompt is too long: ${error.message}`;
}
