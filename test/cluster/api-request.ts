// Calls to the API server as administrator: JSON in and out, whatever is not 2xx is an error.

import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'undici';

/** One call. */
export type ApiRequest = <T>(method: string, path: string, body?: unknown, contentType?: string) => Promise<T>;

/** A server that is frozen must fail a test rather than hang it. */
const answerMsMax = 30_000;

/** Makes calls to a server with a bearer token. */
export function createApiRequest(server: {
  readonly url: string;
  readonly caFile: string;
  readonly adminToken: string;
}): ApiRequest {
  const agent = new Agent({ connect: { ca: readFileSync(server.caFile) }, headersTimeout: answerMsMax });
  const authorization = `Bearer ${server.adminToken}`;
  return async <T>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<T> => {
    const answer = await send(`${server.url}${path}`, {
      dispatcher: agent,
      method: method as 'GET',
      headers: { authorization, accept: 'application/json', 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const value = parse(await answer.body.text());
    if (answer.statusCode >= 300) throw new ApiServerError(`${method} ${path}`, answer.statusCode, value);
    return value as T;
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Health checks answer in plain text.
    return text;
  }
}

/** An answer other than 2xx. */
export class ApiServerError extends Error {
  override readonly name = 'ApiServerError';
  readonly status: number;
  /** The API server's own word: `Conflict`, `Invalid`, `NotFound`. */
  readonly reason: string;
  /** The whole answer, a `Status` as a rule. */
  readonly body: unknown;

  constructor(call: string, status: number, body: unknown) {
    const { message = body, reason = '' } = Object(body) as { readonly message?: unknown; readonly reason?: string };
    super(`${call}: ${status} ${String(message)}`);
    this.status = status;
    this.reason = reason;
    this.body = body;
  }
}
