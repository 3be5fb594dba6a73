// Asks the API server for one thing at a time, each over a connection of its own: tokens and authorities are read when it
// is opened, nothing is left over when it is done, and what breaks one watch breaks no other.

import { Client } from 'undici';
import { ApiFailure, asApiFailure, toApiFailure } from './api-failure.ts';
import type { Cluster } from './cluster.ts';

/** The API server is near: whoever takes longer to connect is not there. */
const connectMs = 10_000;
/** A watch that has not begun by then never will. */
const headersMs = 20_000;
/** Half of what common load balancers allow an idle connection. */
const keepAliveProbeMs = 30_000;
/** Of an answer that says why not. */
const errorBytesMax = 64 * 1024;

/** A question. */
export interface Question {
  /** Path and query, escaped. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Asks questions. */
export interface ApiServer {
  /** Gives the bytes of a 200 answer to `read`; when that has ended, so has the connection. Rejects with an ApiFailure. */
  ask<T>(question: Question, read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;
}

/** Makes a way to ask. Opens nothing before the first question. */
export function createApiServer(cluster: Cluster, userAgent: string): ApiServer {
  return {
    async ask({ path, signal }, read) {
      let client: Client | undefined;
      try {
        const { token, ...tls } = await cluster.identify();
        signal.throwIfAborted();
        const { origin, pathname } = new URL(cluster.server);
        client = new Client(origin, {
          ...timeouts,
          pipelining: 0,
          allowH2: false,
          connect: connectOptions(cluster, tls),
        });
        const { statusCode, headers, body } = await client.request({
          method: 'GET',
          path: pathname.replace(/\/$/, '') + path,
          headers: {
            accept: 'application/json',
            'user-agent': userAgent,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          signal,
        });
        if (statusCode !== 200) throw toApiFailure(statusCode, await readText(body), headers['retry-after']);
        return await read(body);
      } catch (error) {
        throw asApiFailure(error);
      } finally {
        await client?.destroy();
      }
    },
  };
}

/** Silence of a body is for the reader to judge: a watch says nothing for a minute. */
const timeouts = { headersTimeout: headersMs, bodyTimeout: 0 };

function connectOptions({ serverName, insecure }: Cluster, tls: object): object {
  return {
    ...tls,
    timeout: connectMs,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    rejectUnauthorized: !insecure,
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** Reads an answer whole. Throws an ApiFailure where it is larger than it may be. */
export async function readWhole(bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > bytesMax) throw new ApiFailure(`an answer of more than ${bytesMax} bytes`, { kind: 'too-large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The status says enough where the rest cannot be read. */
async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    return (await readWhole(bytes, errorBytesMax)).toString('utf8');
  } catch {
    return '';
  }
}
