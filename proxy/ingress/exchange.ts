// One request and its answer, as the pipeline sees them: no framework, no sockets.

/** Request headers by lower-case name, as node:http gives them. */
export type IncomingHeaders = { readonly [name: string]: string | string[] | undefined };

/** Response headers by lower-case name. */
export type OutgoingHeaders = Record<string, string>;

/** A streamed answer that has begun. */
export interface ReplyStream {
  /**
   * Writes bytes, the first of them together with the head; false asks to wait for `onDrain` before writing more.
   * Each call is one system call and one segment: join what belongs together. Once the client is gone, or the answer
   * has ended, it does nothing and asks for nothing.
   */
  write(chunk: Uint8Array): boolean;
  /** Calls back once when the client has taken what was written, or is gone; soon, if there is nothing to wait for. */
  onDrain(ready: () => void): void;
  /** Ends the answer cleanly. */
  end(last?: Uint8Array): void;
  /** Cuts the connection, for answers that cannot say that they failed. Does not abort the signal. */
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
  /** IPv4 addresses in their own form, whatever the listener's family. */
  readonly remoteAddress: string;
  /** Unix milliseconds at which the head of the request was read. */
  readonly receivedAtMs: number;
  /**
   * Aborted when the client leaves before its answer is complete, or when a drain reaches its deadline; its reason is an
   * AbortReason. A client that closes only its sending side counts as gone: no client of an LLM API does so and waits.
   */
  readonly signal: AbortSignal;
  /** Whether a head has been sent: after that, errors are in-band. */
  readonly started: boolean;
  /**
   * Takes room for bytes that are held for this request besides its body, until its answer is complete. False: there is
   * none.
   */
  hold(bytes: number): boolean;
  /**
   * Sends a whole answer. `x-request-id`, `content-length` and what belongs to the connection are set here; those of
   * `headers` are ignored. Does nothing once the client is gone.
   */
  reply(status: number, headers: OutgoingHeaders, body: Uint8Array): void;
  /** Begins a streamed answer. Nothing is sent before the first bytes: until then `reply` may still say otherwise. */
  stream(status: number, headers: OutgoingHeaders): ReplyStream;
}

/** Why an exchange's signal was aborted. */
export type AbortReason = 'client-left' | 'drain-deadline';

/** Answers one exchange; never rejects. */
export type Handler = (exchange: Exchange) => Promise<void>;
