// Gets what is at an address that a client names. Such an address is a stranger's wish: nothing but public addresses is
// connected to, at every hop, and nothing of the client or of a provider is shown there (security.md, rows 4 and 5).

import type { LookupAddress } from 'node:dns';
import { BytePieces } from '../canonical/byte-pieces.ts';
import type { SignalHeaders } from '../canonical/failure.ts';
import { createAddressPolicy } from './address-policy.ts';
import { createLookup } from './name-cache.ts';
import { openFresh, type Sender } from './pool.ts';
import { send, type Sending } from './send.ts';

/** What is at an address. */
export interface FetchedSource {
  /** As its server says; '' where it says nothing. */
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** What one fetch may take. */
export interface FetchTerms {
  readonly bytesMax: number;
  /** Asked before bytes are kept. What it throws ends the fetch. */
  readonly take: (bytes: number) => void;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Gets what is at an address. Throws SourceFault, or what `take` throws. */
export type FetchSource = (address: string, terms: FetchTerms) => Promise<FetchedSource>;

/** Why something cannot be had, as the end of a sentence about it: "it answers with status 404". Holds no address. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
}

/** What fetching needs. */
export interface SourceFetcherSettings {
  /** Resolves a name; never through files or search domains of this machine. */
  readonly resolve: (hostname: string) => Promise<LookupAddress[]>;
  /** Networks that are allowed though they are not public. */
  readonly allowCidrs: readonly string[];
}

/** Signed addresses of object stores have up to 2,000 characters. */
const addressCharsMax = 8_192;
/** One from a name to another, one from http to https, one to where it is stored. */
const redirectsMax = 3;
const connectMs = 5_000;

/** All that is told of the request. Encodings are not asked for: images gain nothing, and bombs are built of them. */
const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'sluice' };

/** Makes a fetcher. One connection for each request: what a stranger's server leaves on it reaches nobody. */
export function createSourceFetcher({ resolve, allowCidrs }: SourceFetcherSettings): FetchSource {
  const allows = createAddressPolicy({ allowPrivate: false, allowCidrs });
  const allowed = (address: string): boolean => allows(address, false);
  const lookup = createLookup(resolve, allowed);
  return async (address, terms) => {
    let url = parse(address);
    for (let redirects = 0; ; redirects++) {
      const settings = { origin: url.origin, connectMs, caCertificates: undefined, serverName: undefined };
      const got = await get(openFresh(settings, lookup, allowed), url, terms);
      if (got.type === 'found') return got;
      if (redirects === redirectsMax) throw new SourceFault(`redirects more than ${redirectsMax} times`);
      url = parse(got.location, url);
    }
  };
}

/** An address that may be asked; `from` is the one that redirects to it. */
function parse(address: string, from?: URL): URL {
  const url = address.length > addressCharsMax ? null : URL.parse(address, from);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new SourceFault(from === undefined ? 'has no address that begins with http' : 'redirects to no http address');
  }
  if (url.username !== '' || url.password !== '') throw new SourceFault('has a password in its address');
  if (from?.protocol === 'https:' && url.protocol === 'http:') throw new SourceFault('redirects from https to http');
  return url;
}

const late = 'does not come in time';

type Got = ({ readonly type: 'found' } & FetchedSource) | { readonly type: 'moved'; readonly location: string };

function get(sender: Sender, url: URL, { bytesMax, take, signal }: FetchTerms): Promise<Got> {
  if (signal.aborted) return Promise.reject(new SourceFault(late));
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const pieces = new BytePieces();
  let contentType: string | undefined;
  // Not yet there when an address is refused, which happens while it is being sent to.
  const underWay: { sending?: Sending } = {};
  signal.addEventListener('abort', stop, { once: true });
  const request = { method: 'GET', path: url.pathname + url.search, headers: { ...headers }, body: undefined };
  underWay.sending = send(sender, request, {
    head: (status, got) =>
      guarded(() => {
        const head = readHead(status, got, bytesMax);
        if (typeof head === 'string') contentType = head;
        else end(() => resolve(head));
      }),
    data: (chunk) =>
      guarded(() => {
        take(chunk.length);
        pieces.push(chunk);
      }),
    end: () => end(() => resolve({ type: 'found', contentType: contentType ?? '', bytes: pieces.take() })),
    // Why not stays here: it would tell a stranger which names and ports there are inside.
    failed: () => fail(new SourceFault(contentType === undefined ? 'cannot be reached' : 'breaks off')),
  });
  return promise;

  function stop(): void {
    fail(new SourceFault(late));
  }

  function guarded(read: () => void): void {
    try {
      read();
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  function fail(error: Error): void {
    end(() => reject(error));
  }

  function end(settle: () => void): void {
    signal.removeEventListener('abort', stop);
    underWay.sending?.abort();
    settle();
  }
}

/** The type of what follows, or where it is instead. */
function readHead(status: number, head: SignalHeaders, bytesMax: number): string | Got {
  const { location } = head;
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) return { type: 'moved', location };
  if (status !== 200) throw new SourceFault(`answers with status ${status}`);
  const encoding = head['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') throw new SourceFault('comes compressed, which was not asked for');
  if (Number(head['content-length']) > bytesMax) throw new SourceFault(`is larger than ${mebibytes(bytesMax)}`);
  return head['content-type'] ?? '';
}

/** A limit in words. */
export function mebibytes(bytes: number): string {
  return `${bytes / 1024 / 1024} MiB`;
}
