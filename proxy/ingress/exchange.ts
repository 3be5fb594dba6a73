// One request and its answer, as the pipeline sees them: no framework, no sockets.

/** Request headers by lower-case name, as node:http gives them. */
export type IncomingHeaders = { readonly [name: string]: string | string[] | undefined };

/** Response headers by lower-case name. */
export type OutgoingHeaders = Record<string, string>;

/** A streamed answer that has begun. */
export interface ReplyStream {
  /** Writes bytes; false asks to wait for `onDrain` before writing more. */
  write(chunk: Uint8Array): boolean;
  /** Calls back once when the client has taken what was written, or is gone. */
  onDrain(ready: () => void): void;
  /** Ends the answer cleanly. */
  end(last?: Uint8Array): void;
  /** Cuts the connection, for answers that cannot say that they failed. */
  destroy(): void;
}

/** One request of a client, whole, and the way to answer it. Made by the ingress. */
export interface Exchange {
  /** The client's own `x-request-id` if it is sane, else a new one. */
  readonly id: string;
  readonly method: string;
  /** The raw path, decoded by nobody, without the query. */
  readonly path: string;
  /** The raw query with its `?`, or ''. */
  readonly query: string;
  readonly headers: IncomingHeaders;
  readonly body: Buffer;
  readonly remoteAddress: string;
  /** Unix milliseconds at which the head of the request was read. */
  readonly receivedAtMs: number;
  /** Aborted when the client leaves before its answer is complete, or when a drain reaches its deadline. */
  readonly signal: AbortSignal;
  /** Whether a head has been sent: after that, errors are in-band. */
  readonly started: boolean;
  reply(status: number, headers: OutgoingHeaders, body: Uint8Array): void;
  /** Sends the head together with the first bytes given to `write`. */
  stream(status: number, headers: OutgoingHeaders): ReplyStream;
}

/** Why an exchange's signal was aborted. */
export type AbortReason = 'client-left' | 'drain-deadline';

/** Answers one exchange; never rejects. */
export type Handler = (exchange: Exchange) => Promise<void>;
