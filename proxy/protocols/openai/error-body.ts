// Errors of Sluice in the shape of the OpenAI family. https://platform.openai.com/docs/guides/error-codes

import { type ClientError, type ErrorCode, retryAfterSeconds } from '../../canonical/client-error.ts';
import type { EncodedError } from '../protocol.ts';

/** The `error` object of this family. */
export interface WireError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

const typeByCode: { readonly [code in ErrorCode]?: string } = {
  invalid_api_key: 'authentication_error',
  model_not_allowed: 'permission_error',
  route_not_allowed: 'permission_error',
  rate_limit_exceeded: 'rate_limit_error',
  insufficient_quota: 'insufficient_quota',
};

/** An error as this family's `error` object. An upstream's own words about the client's fault are kept. */
export function toWireError(error: ClientError): WireError {
  const { upstream } = error;
  const type = typeByCode[error.code] ?? (error.status >= 500 ? 'server_error' : 'invalid_request_error');
  if (upstream === undefined) return { message: error.message, type, param: null, code: error.code };
  return {
    message: upstream.message,
    type: upstream.type ?? type,
    param: upstream.param ?? null,
    code: upstream.code ?? null,
    ...upstream.details,
  };
}

/** An error as an HTTP answer. */
export function encodeError(error: ClientError, requestId: string): EncodedError {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-request-id': requestId,
    'x-should-retry': String(error.retryable),
    'x-sluice-error': error.code,
  };
  if (error.retryAfterMs !== undefined) {
    const seconds = retryAfterSeconds(error.retryAfterMs);
    headers['retry-after'] = String(seconds);
    // The official client prefers this one: more exact, and never longer than the other.
    headers['retry-after-ms'] = String(Math.min(seconds * 1000, Math.max(1000, Math.ceil(error.retryAfterMs))));
  }
  return { status: error.status, headers, body: Buffer.from(JSON.stringify({ error: toWireError(error) })) };
}
