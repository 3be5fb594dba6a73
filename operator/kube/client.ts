// How the rest of the operator talks to the API server: calls with a deadline that fail with a KubeError, and streams.
// client-node gives the credentials and nothing else: its generated calls drop fields that they do not know, its watch
// cannot be asked for bookmarks, and each of its requests opens a connection.

import { type Dispatcher, request } from 'undici';
import { createConnections, type Use } from './connection.ts';
import type { KubeCredentials, TlsSettings } from './credentials.ts';
import { KubeError, toKubeError } from './kube-error.ts';
import { guarded } from './last-moment.ts';

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
  /** A write that a replica may make although it does not lead: to the Lease itself, and Events. */
  readonly isAnybodys?: boolean;
}

/** A request that must answer within this time: the API server itself gives up after 60 s. */
export const callTimeoutMs = 30_000;

/** A watch that has not begun to answer within this time never will. */
const streamOpenMs = 30_000;

/** Of the body of an error: enough for a `metav1.Status`. */
const errorBytesMax = 64 * 1024;

/** Name under which the API server remembers which fields are ours. */
export const fieldManager = 'sluice-operator';

/** Type of the patch that server-side apply takes; JSON is YAML. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export const applyPatch = 'application/apply-patch+yaml';
/** Type of a JSON merge patch (RFC 7396). */
export const mergePatch = 'application/merge-patch+json';

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

/** What is counted of each request. `code` is the HTTP status, or `<error>` where none came. */
export interface RequestObserver {
  requestEnded(request: { readonly method: string; readonly code: string; readonly seconds: number }): void;
}

/** What a client is made of. */
export interface KubeClientOptions {
  readonly credentials: KubeCredentials;
  readonly userAgent: string;
  readonly observer: RequestObserver;
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** Whether what would change something may leave now, `isAnybodys` excepted. */
  readonly mayWrite?: () => boolean;
}

/** Makes a client. Opens nothing before the first request. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { credentials, userAgent, observer, monotonic, mayWrite = () => true } = options;
  const connections = createConnections(credentials);
  const dispatcherFor = (call: KubeCall, tls: TlsSettings, use: Use): Dispatcher => {
    const dispatcher = connections.dispatcher(tls, use);
    if (call.method === 'GET' || call.isAnybodys === true) return dispatcher;
    return guarded(dispatcher, () => (mayWrite() ? undefined : notLeading(call)));
  };
  const send = async (call: KubeCall, use: Use, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const startedMs = monotonic();
    const end = (code: string): void =>
      observer.requestEnded({ method: call.method, code, seconds: (monotonic() - startedMs) / 1000 });
    try {
      const { headers, tls } = await unlessAborted(credentials.identity(), signal);
      const response = await request(toURL(credentials.server, call), {
        method: call.method,
        dispatcher: dispatcherFor(call, tls, use),
        headers: { accept: 'application/json', 'user-agent': userAgent, ...contentHeaders(call), ...headers },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal,
      });
      end(String(response.statusCode));
      if (response.statusCode < 300) return response;
      if (response.statusCode === 401) credentials.refresh();
      throw await readError(describe(call), response);
    } catch (error) {
      if (error instanceof KubeError) throw error;
      end('<error>');
      throw toConnectionError(describe(call), error);
    }
  };
  return {
    async call<T>(call: KubeCall): Promise<T> {
      const deadline = AbortSignal.timeout(wholeMs(call.timeoutMs ?? callTimeoutMs));
      const { body } = await send(call, 'call', call.signal ? AbortSignal.any([deadline, call.signal]) : deadline);
      try {
        return parseAnswer(describe(call), await body.text()) as T;
      } catch (error) {
        throw error instanceof KubeError ? error : toConnectionError(describe(call), error);
      }
    },
    async stream(call) {
      const opening = new AbortController();
      const expire = (): void => opening.abort(new DOMException('no answer in time', 'TimeoutError'));
      const timer = setTimeout(expire, streamOpenMs).unref();
      try {
        return (await send(call, 'watch', AbortSignal.any([opening.signal, call.signal]))).body;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => connections.close(),
  };
}

function notLeading(call: KubeCall): KubeError {
  return new KubeError(`${describe(call)}: this replica does not lead`, { status: 0, reason: 'NotLeading' });
}

/** Deadlines take no fractions, which is what remains of other deadlines. */
function wholeMs(ms: number): number {
  return Math.max(0, Math.ceil(ms) || 0);
}

/** Credentials may come from a plugin, or from somebody's identity provider: a request does not wait for them for ever. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const settled = promise.finally(() => signal.removeEventListener('abort', abort));
    settled.then(resolve, reject);
  });
}

/** The parser's own words would quote the answer, which may be a Secret. */
function parseAnswer(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KubeError(`${what}: the answer is not JSON`, { status: 0, reason: 'Unreachable' });
  }
}

function toURL(server: string, { path, query = {} }: KubeCall): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return `${server}${path}${parameters.size === 0 ? '' : `?${parameters}`}`;
}

function contentHeaders({ body, contentType = 'application/json' }: KubeCall): Record<string, string> {
  return body === undefined ? {} : { 'content-type': contentType };
}

/** Method and path: names of objects, never what is in them. */
function describe({ method, path }: KubeCall): string {
  return `${method} ${path}`;
}

async function readError(what: string, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<KubeError> {
  const retryAfter = headers['retry-after'];
  let text = '';
  try {
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > errorBytesMax) break;
    }
  } catch {
    // The status says enough.
  }
  return toKubeError(what, {
    status: statusCode,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    body: text,
  });
}

function toConnectionError(what: string, cause: unknown): KubeError {
  const { name, message, code } = cause as Error & { readonly code?: unknown };
  const timedOut = name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT';
  const reason = timedOut ? 'Timeout' : 'Unreachable';
  // The code of an abort is a number that says nothing.
  const why = typeof code === 'string' ? code : message;
  const said = `${what}: ${timedOut ? 'no answer in time' : why}`;
  // The parser's error carries the bytes that it could not parse.
  return new KubeError(said, { status: 0, reason, ...(name === 'HTTPParserError' ? {} : { cause }) });
}
