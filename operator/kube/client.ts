// How the rest of the operator talks to the API server: calls with a deadline that fail with a KubeError, and watches.
// client-node gives the credentials (kubeconfig, in-cluster, exec plugins, OIDC) and nothing else: its generated calls
// drop fields that they do not know, its watch cannot be asked for bookmarks, and each request would open a connection.

/** One request. */
export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, already escaped (`objectPath`, `collectionPath`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` where left out; PATCH needs one of the patch types. */
  readonly contentType?: string;
  /** The whole answer must be there within this time; `callTimeoutMs` where left out. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A request that must answer within this time: the API server itself gives up after 60 s. */
export const callTimeoutMs = 30_000;

/** The API server, as one user. */
export interface KubeClient {
  /** The parsed body of a 2xx answer. Rejects with a KubeError, also where nothing was answered. */
  call<T>(call: KubeCall): Promise<T>;
  /**
   * Opens a stream (watch). Resolves with the chunks of a 200 answer; `signal` ends it. There is no deadline beyond the
   * time to the response headers. Rejects with a KubeError.
   */
  stream(call: KubeCall & { readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}
