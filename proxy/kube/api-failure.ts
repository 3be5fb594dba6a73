// Why the API server did not give what was asked for. The words of a `metav1.Status` are kept, bodies never: they may hold
// a Secret.

/** A question that failed. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  /** What tells one kind of failure from another: an HTTP status, a code of the connection. */
  readonly kind: string;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { readonly kind: string; readonly retryAfterMs?: number | undefined; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.kind = options.kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What is kept of a server's words. */
const messageCharsMax = 300;

/** The failure that an answer stands for, or the `metav1.Status` that ends a watch. */
export function toApiFailure(status: number, body: string, retryAfter?: string | readonly string[]): ApiFailure {
  const { message, details } = parseStatus(body);
  const seconds = details?.retryAfterSeconds ?? Number(typeof retryAfter === 'string' ? retryAfter : 0);
  return new ApiFailure(message === undefined ? `${status}` : `${status}: ${message.slice(0, messageCharsMax)}`, {
    kind: String(status),
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  });
}

/** Whatever was thrown on the way to an answer, or while one was read. */
export function asApiFailure(thrown: unknown): ApiFailure {
  if (thrown instanceof ApiFailure) return thrown;
  if (!(thrown instanceof Error)) return new ApiFailure('it failed', { kind: 'unknown', cause: thrown });
  // Its own message quotes what it could not parse.
  if (thrown instanceof SyntaxError) return new ApiFailure('an answer that is no JSON', { kind: 'no-json' });
  // Happy eyeballs fails once per address, and says nothing itself.
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : undefined;
  const cause = first instanceof Error ? first : thrown;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  return new ApiFailure(cause.message.slice(0, messageCharsMax), { kind: code, cause: thrown });
}

interface Status {
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

function parseStatus(body: string): Status {
  try {
    const value = JSON.parse(body) as {
      readonly kind?: unknown;
      readonly message?: unknown;
      readonly details?: unknown;
    };
    if (value.kind !== 'Status') return {};
    const { retryAfterSeconds } = (value.details ?? {}) as { readonly retryAfterSeconds?: unknown };
    return {
      ...(typeof value.message === 'string' ? { message: value.message } : {}),
      ...(typeof retryAfterSeconds === 'number' ? { details: { retryAfterSeconds } } : {}),
    };
  } catch {
    // What a proxy on the way answers is no Status.
    return {};
  }
}
