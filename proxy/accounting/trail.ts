// What happened to one request: written by the steps as they go, read by metrics, log, spans and response headers.

import type { ErrorCode } from '../canonical/client-error.ts';
import type { Failure } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';

/** One request sent to an upstream. */
export interface AttemptRecord {
  /** 1 for the first. */
  readonly number: number;
  /** `namespace/route/name`. */
  readonly backend: string;
  readonly backendName: string;
  /** `namespace/name` of the LLMProvider, and its type. */
  readonly provider: string;
  readonly providerType: string;
  /** `namespace/name` of the LLMKey, if one was used. */
  readonly key: string | undefined;
  /** The model named to the upstream, if any. */
  readonly model: string | undefined;
  readonly startedAtMs: number;
  firstContentAtMs?: number;
  endedAtMs?: number;
  status?: number;
  failure?: Failure;
  /** Tokens, as far as they are known; estimated for an answer that broke and was gone on with. */
  usage?: Usage;
}

/** How a request ended, from the client's side. */
export type Outcome =
  /** A whole answer of an upstream. */
  | 'answered'
  /** An error made by Sluice, as an HTTP status. */
  | 'refused'
  /** An error inside an answer that had begun. */
  | 'failed-in-band'
  /** The client left first. */
  | 'client-left';

/** Everything known about one request. */
export interface Trail {
  readonly id: string;
  readonly method: string;
  /** The path without its query, which is never logged. */
  readonly path: string;
  readonly startedAtMs: number;
  /** Incoming W3C trace context, if any. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  protocol?: string;
  /** `namespace/name` of the LLMRoute, and the rule's name. */
  route?: string;
  rule?: string;
  /** `namespace/name` of the client's LLMKey, and its tenant. */
  clientKey?: string;
  tenant?: string;
  /** The model that the client asked for. Bounded by whoever makes a label of it. */
  requestModel?: string;
  stream?: boolean;
  readonly attempts: AttemptRecord[];
  status?: number;
  errorCode?: ErrorCode;
  outcome?: Outcome;
  usage?: Usage;
  firstContentAtMs?: number;
  endedAtMs?: number;
}

/** Listens to what happens to requests. Metrics, the access log and traces each are one. */
export interface Observer {
  requestStarted?(trail: Trail): void;
  /** May return headers for the upstream request (trace context). */
  attemptStarted?(trail: Trail, attempt: AttemptRecord): Readonly<Record<string, string>> | undefined;
  /** The attempt has its first content, whose time is in its record: this backend's answer is the client's. */
  attemptAnswered?(trail: Trail, attempt: AttemptRecord): void;
  attemptEnded?(trail: Trail, attempt: AttemptRecord): void;
  requestEnded?(trail: Trail): void;
}
