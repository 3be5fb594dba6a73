// Images and documents of which a request only gives the addresses, for upstreams that have to have the bytes. Whatever
// goes wrong is the client's own fault: it hears which one it was, and no backend is blamed.

import type { Block, Source } from '../canonical/block.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { mediaTypeOf } from '../protocols/media-type.ts';
import { type FetchSource, mebibytes, SourceFault } from '../upstream/source-fetcher.ts';

/** What was found at the addresses of a request. */
export type Sources = ReadonlyMap<string, Source>;

/** For whom something is fetched, and until when that makes sense. */
export interface SourceTerms {
  readonly exchange: Pick<Exchange, 'signal' | 'hold'>;
  /** Unix milliseconds. */
  readonly deadlineAtMs: number;
}

/** Gets what is at the addresses in a request. Throws ClientError that says which of them cannot be had, and why. */
export type ResolveSources = (request: CanonicalRequest, terms: SourceTerms) => Promise<Sources>;

/** Different addresses in one request: Bedrock takes no more images, and a request must not become a flood of others. */
const addressesMax = 20;
/** One image or document: what OpenAI takes as one image. */
const itemBytesMax = 20 * 1024 * 1024;
/** All of one request: as much as a body holds of them in base64 (32 MiB). */
const requestBytesMax = 24 * 1024 * 1024;
/** As many at once as browsers open to one server. */
const fetchesAtOnce = 6;
/** For all of them: as long as a client may wait for the first sign of an answer, and somewhat longer. */
const fetchMs = 20_000;

/** Makes what gets them. */
export function createSourceResolver(fetch: FetchSource, clock: Clock): ResolveSources {
  return async (request, { exchange, deadlineAtMs }) => {
    const wanted = [...addressesOf(request)];
    if (wanted.length > addressesMax) {
      const message = `The request names more than ${addressesMax} addresses of images and documents.`;
      throw new ClientError('invalid_request', { message });
    }
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    const timer = clock.setTimer(Math.max(0, Math.min(fetchMs, deadlineAtMs - clock.now())), abort);
    exchange.signal.addEventListener('abort', abort, { once: true });
    if (exchange.signal.aborted) abort();
    try {
      return await fetchAll(wanted, { fetch, exchange, signal: stop.signal });
    } finally {
      timer.cancel();
      exchange.signal.removeEventListener('abort', abort);
      // What is still under way behind a failed one.
      abort();
    }
  };
}

/** One address, and whether a picture has to be there. */
type Wanted = readonly [address: string, what: 'image' | 'document'];

interface FetchFacts {
  readonly fetch: FetchSource;
  readonly exchange: Pick<Exchange, 'hold'>;
  readonly signal: AbortSignal;
}

async function fetchAll(wanted: readonly Wanted[], { fetch, exchange, signal }: FetchFacts): Promise<Sources> {
  const found = new Map<string, Source>();
  let requestBytes = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    for (let place = next++; place < wanted.length; place = next++) await fetchOne(wanted[place]!, place + 1);
  };
  await Promise.all(Array.from({ length: Math.min(fetchesAtOnce, wanted.length) }, work));
  return found;

  async function fetchOne([address, what]: Wanted, number: number): Promise<void> {
    let itemBytes = 0;
    const take = (bytes: number): void => {
      itemBytes += bytes;
      requestBytes += bytes;
      if (itemBytes > itemBytesMax) throw new SourceFault(`is larger than ${mebibytes(itemBytesMax)}`);
      if (requestBytes > requestBytesMax)
        throw new SourceFault(`and the others together are more than ${mebibytes(requestBytesMax)}`);
      // As base64, which is what stays of them until the answer is complete.
      if (!exchange.hold(Math.ceil((bytes * 4) / 3))) throw new ClientError('overloaded', { retryAfterMs: 1000 });
    };
    try {
      const { bytes, contentType } = await fetch(address, { bytesMax: itemBytesMax, take, signal });
      found.set(address, toSource(bytes, contentType, what));
    } catch (error) {
      throw error instanceof SourceFault ? refused(address, what, { number, of: wanted.length, why: error }) : error;
    }
  }
}

function toSource(bytes: Buffer, declared: string, what: Wanted[1]): Source {
  const mediaType = mediaTypeOf(bytes, declared);
  if (what === 'image' && mediaType?.startsWith('image/') !== true) {
    throw new SourceFault('is no PNG, JPEG, GIF or WebP');
  }
  if (mediaType === undefined) throw new SourceFault('is no document that models read');
  return { type: 'base64', mediaType, data: bytes.toString('base64') };
}

/** Names the host and never more: what follows it may be a secret. */
function refused(
  address: string,
  what: Wanted[1],
  { number, of, why }: { readonly number: number; readonly of: number; readonly why: SourceFault },
): ClientError {
  const host = URL.parse(address)?.host ?? '';
  const which = (of === 1 ? '' : ` (address ${number} of ${of})`) + (host === '' ? '' : ` at ${host}`);
  const message = `The ${what}${which} cannot be given to this model: it ${why.message}.`;
  return new ClientError('invalid_request', { message, cause: why });
}

/** Every address once, in the order in which they stand. */
function addressesOf({ messages }: CanonicalRequest): ReadonlyMap<string, Wanted[1]> {
  const found = new Map<string, Wanted[1]>();
  const look = (block: Block): void => {
    if (block.type === 'tool-result') block.content.forEach(look);
    if ((block.type !== 'image' && block.type !== 'document') || block.source.type !== 'url') return;
    if (found.get(block.source.url) !== 'image') found.set(block.source.url, block.type);
  };
  for (const { content } of messages) content.forEach(look);
  return found;
}

/** Whether a request gives the address of something. */
export function namesAddresses({ messages }: CanonicalRequest): boolean {
  return messages.some(({ content }) => content.some(isAddress));
}

function isAddress(block: Block): boolean {
  if (block.type === 'tool-result') return block.content.some(isAddress);
  return (block.type === 'image' || block.type === 'document') && block.source.type === 'url';
}

/** The same request with the bytes in the place of the addresses. */
export function withSources(request: CanonicalRequest, sources: Sources): CanonicalRequest {
  return {
    ...request,
    messages: request.messages.map((message) => ({ ...message, content: message.content.map(fill) })),
  };

  function fill(block: Block): Block {
    if (block.type === 'tool-result') return { ...block, content: block.content.map(fill) };
    if ((block.type !== 'image' && block.type !== 'document') || block.source.type !== 'url') return block;
    const source = sources.get(block.source.url);
    return source === undefined ? block : { ...block, source };
  }
}
