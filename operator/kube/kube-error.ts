// Why a request to the API server failed. The body of an answer is never part of the message: it may hold a Secret.

/** `metav1.Status`, as far as it matters. */
interface Status {
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** A request that failed: with an answer (`status` is its HTTP code), or without one (`status` 0). */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  /** `metav1.StatusReason` such as NotFound, AlreadyExists, Conflict, Expired, Forbidden, Invalid; '' if none was given. */
  readonly reason: string;
  /** How long the server asks to wait; undefined if it does not. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: {
      readonly status: number;
      readonly reason?: string;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.reason = options.reason ?? '';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether something failed for this reason. */
export function isKubeError(error: unknown, reason: string): error is KubeError {
  return error instanceof KubeError && error.reason === reason;
}

/** Reasons for answers that carry none: proxies between here and the API server answer too. */
const reasonOfStatus: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
};

/** The error that an answer stands for. `what` names the request: method and path, never a body. */
export function toKubeError(
  what: string,
  {
    status,
    retryAfter,
    body,
  }: { readonly status: number; readonly retryAfter?: string | undefined; readonly body: string },
): KubeError {
  const { reason = reasonOfStatus[status] ?? '', message, retryAfterSeconds } = parseStatus(body);
  const seconds = retryAfterSeconds ?? (/^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined);
  // Refusals of writes quote the object that was written. Everything else says what is missing, and names only.
  const said = message !== undefined && status !== 422 && status !== 400 ? `: ${message}` : '';
  return new KubeError(`${what} answered ${status}${reason === '' ? '' : ` ${reason}`}${said}`, {
    status,
    reason,
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

/** Whoever stands between here and the API server may answer anything. */
function parseStatus(body: string): Status {
  const { reason, message, details } = toRecord(parse(body));
  const { retryAfterSeconds: seconds } = toRecord(details);
  return {
    reason: typeof reason === 'string' ? reason : undefined,
    message: typeof message === 'string' ? message : undefined,
    retryAfterSeconds: typeof seconds === 'number' && seconds >= 0 ? seconds : undefined,
  };
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
