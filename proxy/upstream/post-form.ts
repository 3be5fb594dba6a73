// One form, posted over a connection of its own, to a place that no provider is: where tokens are got. Addresses are
// checked as those of upstreams are.

import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { Client } from 'undici';
import type { Clock } from '../canonical/clock.ts';
import type { SignalHeaders } from '../canonical/failure.ts';
import { type AddressPolicy, createAddressPolicy } from './address-policy.ts';
import { createLookup, createNameCache } from './name-cache.ts';
import { createConnector } from './pool.ts';

/** What came back. */
export interface FormAnswer {
  readonly status: number;
  readonly headers: SignalHeaders;
  readonly body: string;
}

/** Posts a form. Rejects with the error of the connection. */
export type PostForm = (url: string, form: Readonly<Record<string, string>>) => Promise<FormAnswer>;

/** What opening connections needs. */
export interface PostFormSettings {
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

/** Makes a function that posts forms. */
export function createPostForm({ clock, addresses, resolve }: PostFormSettings): PostForm {
  const policy = createAddressPolicy(addresses);
  const allows = (address: string): boolean => policy(address, false);
  const lookup = createLookup(createNameCache(resolve, clock), allows);
  return async function postForm(url, form) {
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
        method: 'POST',
        path: pathname + search,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
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
