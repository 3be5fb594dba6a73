// What the client is told when nothing is left: rule 13 of failure.md and the last column of its table. Messages are the
// catalogue's; an upstream's own words appear only where the fault is the client's, and the classifier has redacted them.

import { ClientError, type ErrorCode, errorCatalogue } from '../canonical/client-error.ts';
import type { Failure, FailureClass } from '../canonical/failure.ts';

/** No client is asked to wait longer: it could be served sooner than any reset says. */
const retryAfterMsMax = 60_000;

/**
 * The answer after the last failure. `failures` in the order in which they happened; `returnMs` is the time from now to
 * the return of the disabled target that returns first, if any is disabled.
 */
export function exhausted(failures: readonly Failure[], returnMs: number | undefined): ClientError {
  const last = failures.at(-1);
  const cause = last?.cause;
  if (last === undefined) return new ClientError('all_backends_disabled', { ...retryAfter(returnMs), cause });
  if (last.client !== undefined) return clientFault(last, returnMs);
  if (failures.every(isModelNotFound)) return new ClientError('model_not_found', { cause });
  // Whoever could have taken the request has failed otherwise; that it was too much for others is not the news.
  const others = failures.filter((failure) => failure.client === undefined);
  const told = failures.findLast((failure) => failure.client !== undefined);
  if (told !== undefined && others.every(isModelNotFound)) return clientFault(told, returnMs);
  const code = exhaustedCode(others.map((failure) => failure.class));
  const waits = code === 'insufficient_quota' || errorCatalogue[code].retryable;
  return new ClientError(code, { ...(waits ? retryAfter(soonestMs(others, returnMs)) : {}), cause });
}

function isModelNotFound(failure: Failure): boolean {
  return failure.class === 'ModelNotFound';
}

function exhaustedCode(classes: readonly FailureClass[]): ErrorCode {
  const all = (...wanted: readonly FailureClass[]): boolean => classes.every((it) => wanted.includes(it));
  const any = (...wanted: readonly FailureClass[]): boolean => classes.some((it) => wanted.includes(it));
  if (all('Quota')) return 'insufficient_quota';
  if (all('RateLimit', 'Quota')) return 'rate_limit_exceeded';
  if (all('Overloaded')) return 'upstream_overloaded';
  if (any('Connect', 'Overloaded')) return 'upstream_unavailable';
  // Before content a stall is a timeout: row 27.
  if (any('Timeout', 'Stalled')) return 'upstream_timeout';
  const [first] = classes;
  return first !== undefined && all(first) ? badGatewayCode(first) : 'upstream_error';
}

/** The 502 of a class: failures of several kinds have no more in common than that the upstreams failed. */
function badGatewayCode(failureClass: FailureClass): ErrorCode {
  switch (failureClass) {
    case 'TLS':
      return 'upstream_tls_failed';
    case 'Authentication':
      return 'upstream_auth_failed';
    case 'Permission':
      return 'upstream_permission_denied';
    case 'InvalidResponse':
      return 'invalid_upstream_response';
    case 'Truncated':
      return 'stream_truncated';
    default:
      return 'upstream_error';
  }
}

/** Rows 17-19 and 21, and refusals of credentials that the client passed through: in the upstream's own words. */
function clientFault(failure: Failure, returnMs: number | undefined): ClientError {
  const code = classCode(failure.class);
  const { client, cause } = failure;
  const waits = failure.class === 'RateLimit' ? retryAfter(failure.retryAfterMs ?? returnMs) : {};
  if (client === undefined) return new ClientError(code, { ...waits, cause });
  // A body without a sentence in it leaves the status and the catalogue's sentence.
  const message = client.message === '' ? errorCatalogue[code].message : client.message;
  return new ClientError(code, { ...waits, upstream: { ...client, message }, cause });
}

/**
 * The error that ends an answer after content, by the failure that broke it. What says that a retry cannot help still
 * does; but nothing of what the upstream says comes along, except where the fault is the client's.
 */
export function inBandError(failure: Failure): ClientError {
  if (failure.client !== undefined) return clientFault(failure, undefined);
  return new ClientError(classCode(failure.class), { ...retryAfter(failure.retryAfterMs), cause: failure.cause });
}

/** The catalogue's entry for one failure by itself. */
function classCode(failureClass: FailureClass): ErrorCode {
  switch (failureClass) {
    // After content a broken connection is an answer that was cut.
    case 'Connect':
    case 'TLS':
    case 'Truncated':
      return 'stream_truncated';
    case 'Timeout':
    case 'Stalled':
      return 'stream_timeout';
    case 'RateLimit':
      return 'rate_limit_exceeded';
    case 'Quota':
      return 'insufficient_quota';
    case 'ServerError':
      return 'upstream_error';
    case 'Overloaded':
      return 'upstream_overloaded';
    case 'Authentication':
      return 'upstream_auth_failed';
    case 'Permission':
      return 'upstream_permission_denied';
    case 'ModelNotFound':
      return 'model_not_found';
    case 'ContextLength':
      return 'context_length_exceeded';
    case 'ContentFilter':
      return 'content_filter';
    case 'BadRequest':
      return 'invalid_request';
    case 'TooLarge':
      return 'request_too_large';
    case 'InvalidResponse':
      return 'invalid_upstream_response';
  }
}

/** When a retry may find something: the soonest of what upstreams named and of what returns here. */
function soonestMs(failures: readonly Failure[], returnMs: number | undefined): number | undefined {
  const named = failures.map((failure) => failure.retryAfterMs).filter((ms) => ms !== undefined);
  if (returnMs !== undefined) named.push(returnMs);
  return named.length === 0 ? undefined : Math.min(...named);
}

function retryAfter(ms: number | undefined): { readonly retryAfterMs?: number } {
  return ms === undefined || Number.isNaN(ms) ? {} : { retryAfterMs: Math.min(retryAfterMsMax, Math.max(0, ms)) };
}
