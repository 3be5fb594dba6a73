import type { ClientFault, SignalHeaders } from '../../../../proxy/canonical/failure.ts';
import type { ProviderType } from '../../../../proxy/config/schema.ts';

/**
 * One answer of a vendor, as recorded or as its documentation prints it, and the judgement expected of it. Where it comes
 * from stands above the vendor (documentation) or above the case (a public report of it: repository and issue).
 */
export type VendorCase = readonly [status: number, verdict: string, body: unknown, extra?: VendorExtra];

/** What else an answer consisted of, and what else is expected. */
export interface VendorExtra {
  readonly headers?: SignalHeaders;
  /** Expected `retryAfterMs`. Left out: none. */
  readonly resetMs?: number;
  /** Members expected of the client's fault. */
  readonly client?: Partial<ClientFault>;
  /** The error came in a stream or in a 200, so that `status` is only what the body speaks of. */
  readonly as?: 'frame' | 'invalid';
  readonly event?: string;
}

/** The answers of one vendor. */
export interface Vendor {
  readonly type: ProviderType;
  readonly cases: readonly VendorCase[];
}

/** Verdicts: class, scope, and what else is true of it. */
export const is = {
  rate: 'RateLimit key-model',
  rateOfKey: 'RateLimit key',
  rateOfRequest: 'RateLimit none',
  quota: 'Quota key hard',
  quotaOfModel: 'Quota key-model hard',
  auth: 'Authentication key hard',
  permission: 'Permission key-model hard',
  network: 'Permission backend counts',
  noModel: 'ModelNotFound backend',
  unable: 'ModelNotFound none',
  bad: 'BadRequest none client',
  context: 'ContextLength none client',
  filter: 'ContentFilter none client',
  tooLarge: 'TooLarge none client',
  overloaded: 'Overloaded backend-model counts',
  server: 'ServerError backend counts',
  locked: 'ServerError backend',
  timeout: 'Timeout backend counts',
  invalid: 'InvalidResponse backend counts',
} as const;

/** OpenAI's shape. */
export function openaiError(
  message: string,
  type: string | null = null,
  code: string | number | null = null,
  param: string | null = null,
) {
  return { error: { message, type, param, code } };
}

/** Google's shape. */
export function googleError(code: number, status: string, message: string, details?: readonly object[]) {
  return { error: { code, message, status, ...(details === undefined ? {} : { details }) } };
}

/** Anthropic's shape. */
export function anthropicError(type: string, message: string, details?: object) {
  return {
    type: 'error',
    error: { type, message, ...(details === undefined ? {} : { details }) },
    request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
  };
}
