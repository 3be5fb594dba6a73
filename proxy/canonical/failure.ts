// What can go wrong with an attempt, in the words every room uses. The classifier (proxy/routing) turns signals into
// failures; everything after it switches on the class and never on a status code.

/** Every class of failure, as routes name them in `failover.on`. */
export const failureClasses = [
  'Connect',
  'TLS',
  'Timeout',
  'RateLimit',
  'Quota',
  'ServerError',
  'Overloaded',
  'Authentication',
  'Permission',
  'ModelNotFound',
  'ContextLength',
  'ContentFilter',
  'BadRequest',
  'TooLarge',
  'InvalidResponse',
  'Truncated',
  'Stalled',
] as const;

/** One class of failure. */
export type FailureClass = (typeof failureClasses)[number];

/** What a failure says something about: what is to be disabled, if anything is. */
export type FailureScope = 'backend' | 'backend-model' | 'key' | 'key-model' | 'none';

/** How the transport itself failed: nothing of an HTTP answer, or not all of it, arrived. */
export type TransportFault =
  | 'dns'
  | 'connect'
  | 'tls'
  | 'reset'
  | 'headers-timeout'
  | 'content-timeout'
  | 'idle-timeout'
  | 'protocol';

/** The facts that one attempt produced, before anyone judges them. */
export type FailureSignal =
  | { readonly type: 'transport'; readonly fault: TransportFault; readonly cause: unknown }
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly headers: SignalHeaders;
      /** The error body, decoded as text and cut to 64 KiB: no vendor puts the reason later than that. */
      readonly body: string;
    }
  /** An error frame inside a stream whose HTTP status was fine. */
  | {
      readonly type: 'frame';
      readonly event: string | undefined;
      readonly data: string;
      readonly headers: SignalHeaders;
    }
  /** A success status with nothing usable in it: empty, not JSON, an error object, three malformed frames. */
  | { readonly type: 'invalid'; readonly detail: string; readonly body: string; readonly headers: SignalHeaders }
  /** The answer ended, or was cut, before its terminal event or its last byte. */
  | { readonly type: 'truncated'; readonly cause: unknown };

/** Response headers by lower-case name, as the classifier reads them. */
export type SignalHeaders = { readonly [name: string]: string | undefined };

/** A judged failure of one attempt. */
export interface Failure {
  readonly class: FailureClass;
  readonly scope: FailureScope;
  /** Hard failures are never overridden when nothing else is left (bad key, no money). */
  readonly hard: boolean;
  /** Whether it feeds the failure counts that disable a backend. */
  readonly counts: boolean;
  /** HTTP status of the answer, or the one that an error frame speaks of; absent where the transport failed. */
  readonly status?: number;
  /** How the transport failed, where it did. */
  readonly fault?: TransportFault;
  /** When the upstream said that trying again makes sense, in milliseconds from now; already clamped. */
  readonly retryAfterMs?: number;
  /**
   * The upstream's own words, redacted; only for faults of the client's making (BadRequest, ContextLength, …) and for
   * refusals of credentials that the client itself passed through.
   */
  readonly client?: ClientFault;
  /** For logs, never for clients. */
  readonly cause: unknown;
}

/** An upstream's answer to a request that was wrong in itself: shown to the client as it is. */
export interface ClientFault {
  readonly status: number;
  readonly message: string;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;
  /** Further members of the error, as the upstream named them. */
  readonly details?: Readonly<Record<string, string>>;
}
