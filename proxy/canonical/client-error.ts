// The catalogue of everything Sluice itself may answer instead of an upstream: code, status, retry advice, message.
// Each protocol puts these into its own shape; nothing internal ever gets in here.

/** How an entry of the catalogue behaves. */
interface CatalogueEntry {
  readonly status: number;
  /** Whether sending the same request again may help: becomes `x-should-retry`. */
  readonly retryable: boolean;
  readonly message: string;
}

/** Every error that Sluice answers with, by code. */
export const errorCatalogue = {
  invalid_json: { status: 400, retryable: false, message: 'The request body is not valid JSON.' },
  invalid_request: { status: 400, retryable: false, message: 'The request is not valid.' },
  invalid_path: { status: 400, retryable: false, message: 'The request path is not valid.' },
  model_required: { status: 400, retryable: false, message: 'The request names no model.' },
  invalid_api_key: { status: 401, retryable: false, message: 'The API key is missing, unknown, expired or disabled.' },
  model_not_allowed: { status: 403, retryable: false, message: 'This API key may not use this model.' },
  route_not_allowed: { status: 403, retryable: false, message: 'This API key may not use this route.' },
  route_not_found: { status: 404, retryable: false, message: 'No route serves this path or model.' },
  backend_not_found: { status: 404, retryable: false, message: 'The route has no such backend.' },
  no_rule_matched: { status: 404, retryable: false, message: 'No rule of the route matches this request.' },
  model_not_found: { status: 404, retryable: false, message: 'No backend of the route has this model.' },
  method_not_allowed: { status: 405, retryable: false, message: 'This path does not support this method.' },
  request_too_large: { status: 413, retryable: false, message: 'The request body is too large.' },
  unsupported_encoding: {
    status: 415,
    retryable: false,
    message: 'The request body has an unsupported content encoding.',
  },
  rate_limit_exceeded: {
    status: 429,
    retryable: true,
    message: 'The upstream rate limit is exhausted. Try again later.',
  },
  insufficient_quota: { status: 429, retryable: false, message: 'The upstream quota is exhausted.' },
  internal_error: { status: 500, retryable: true, message: 'The gateway failed to handle this request.' },
  upstream_error: { status: 502, retryable: true, message: 'The upstream failed.' },
  upstream_tls_failed: { status: 502, retryable: true, message: 'No secure connection to the upstream could be made.' },
  upstream_auth_failed: {
    status: 502,
    retryable: false,
    message: 'The gateway could not authenticate to the upstream.',
  },
  upstream_permission_denied: {
    status: 502,
    retryable: false,
    message: 'The upstream refused the credentials of the gateway.',
  },
  invalid_upstream_response: {
    status: 502,
    retryable: true,
    message: 'The upstream sent an answer that is not valid.',
  },
  stream_truncated: { status: 502, retryable: true, message: 'The upstream ended its answer before it was complete.' },
  upstream_unavailable: { status: 503, retryable: true, message: 'No upstream is reachable.' },
  upstream_overloaded: { status: 503, retryable: true, message: 'The upstream is overloaded.' },
  all_backends_disabled: { status: 503, retryable: true, message: 'All backends of the route are disabled for now.' },
  all_backends_busy: { status: 503, retryable: true, message: 'All backends of the route are busy. Try again later.' },
  backend_disabled: { status: 503, retryable: false, message: 'The backend is switched off.' },
  no_backend: { status: 503, retryable: false, message: 'The route has no backend that can serve this request.' },
  overloaded: { status: 503, retryable: true, message: 'The gateway is at its limit. Try again later.' },
  draining: { status: 503, retryable: true, message: 'This gateway is about to stop.' },
  not_ready: { status: 503, retryable: true, message: 'The gateway has no configuration yet.' },
  upstream_timeout: { status: 504, retryable: true, message: 'The upstream did not answer in time.' },
  stream_timeout: {
    status: 504,
    retryable: true,
    message: 'The upstream stopped sending before its answer was complete.',
  },
  context_length_exceeded: {
    status: 400,
    retryable: false,
    message: 'The request is longer than the context of the model.',
  },
  unsupported_capability: {
    status: 400,
    retryable: false,
    message: 'No model of the route can do what the request wants.',
  },
  content_filter: { status: 400, retryable: false, message: 'The request was refused by a content filter.' },
} as const satisfies Record<string, CatalogueEntry>;

/** The code of an entry of the catalogue. */
export type ErrorCode = keyof typeof errorCatalogue;

/** What may differ from the catalogue's entry for one answer. */
export interface ClientErrorDetails {
  /** Replaces the catalogue's sentence; must hold nothing internal. */
  readonly message?: string;
  /** Milliseconds until trying again makes sense; sent as `Retry-After`, between 1 and 60 seconds. */
  readonly retryAfterMs?: number;
  /** Methods that the path supports, for the `Allow` header of a 405. */
  readonly allow?: string;
  readonly cause?: unknown;
  /** The words and status of an upstream that refused the client's own request (failure.md, rule 13). */
  readonly upstream?: {
    readonly status: number;
    readonly message: string;
    readonly code: string | undefined;
    readonly type: string | undefined;
    readonly param: string | undefined;
    readonly details?: Readonly<Record<string, string>>;
  };
}

/** An answer that Sluice makes itself. Thrown by any step; a protocol puts it into its own shape. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly allow: string | undefined;
  readonly upstream: ClientErrorDetails['upstream'];

  constructor(code: ErrorCode, details: ClientErrorDetails = {}) {
    super(details.upstream?.message ?? details.message ?? errorCatalogue[code].message, { cause: details.cause });
    this.code = code;
    this.status = details.upstream?.status ?? errorCatalogue[code].status;
    this.retryable = errorCatalogue[code].retryable;
    this.retryAfterMs = details.retryAfterMs;
    this.allow = details.allow;
    this.upstream = details.upstream;
  }
}

/** `Retry-After` in whole seconds, between 1 and 60: a longer wait would park clients that could be served sooner. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.min(60, Math.max(1, Math.ceil(retryAfterMs / 1000)));
}
