// Small requests to places that no provider is: where credentials are got. Each over a connection of its own; addresses are
// checked as those of upstreams are.

import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { Client } from 'undici';
import type { Clock } from '../canonical/clock.ts';
import type { SignalHeaders } from '../canonical/failure.ts';
import { type AddressPolicy, createAddressPolicy } from './address-policy.ts';
import { createLookup, createNameCache } from './name-cache.ts';
import { createConnector } from './pool.ts';

/** Sends one, and reads the answer. Rejects with the error of the connection. */
export type SendSmall = (request: {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}) => Promise<{ readonly status: number; readonly headers: SignalHeaders; readonly body: string }>;

/** What opening connections needs. */
export interface SmallRequestsSettings {
  readonly clock: Clock;
  readonly addresses: AddressPolicy;
  /** The system's resolver. */
  readonly resolve: (hostname: string) => Promise<LookupAddress[]>;
}

const connectMs = 5_000;
/** For the whole answer: a request of a client's waits for it. */
const answerMs = 10_000;
/** Tokens have a few thousand characters at most. */
const answerBytesMax = 64 * 1024;

/** Makes a function that sends them. */
export function createSmallRequests({ clock, addresses, resolve }: SmallRequestsSettings): SendSmall {
  const policy = createAddressPolicy(addresses);
  const allows = (address: string): boolean => policy(address, false);
  const lookup = createLookup(createNameCache(resolve, clock), allows);
  return async function sendSmall({ method, url, headers: sent, body: form }) {
    const { origin, pathname, search } = new URL(url);
    const settings = { origin, connectMs, caCertificates: undefined, serverName: undefined };
    const client = new Client(origin, {
      connect: createConnector(settings, lookup, allows),
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      maxResponseSize: answerBytesMax,
    });
    try {
      const { statusCode, headers, body } = await client.request({
        method,
        path: pathname + search,
        headers: sent,
        body: form ?? null,
        signal: AbortSignal.timeout(connectMs + answerMs),
      });
      return { status: statusCode, headers: flat(headers), body: await body.text() };
    } finally {
      await client.destroy();
    }
  };
}

function flat(headers: IncomingHttpHeaders): SignalHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
