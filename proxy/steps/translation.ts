// The client's request in the words of other protocols: understood once, however many upstreams are asked, and written
// once for each backend.

import type { Block } from '../canonical/block.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Backend } from '../config/snapshot.ts';
import { readMembers, rewriteMembers } from '../protocols/json-members.ts';
import type { ChatLane } from '../protocols/lane.ts';
import type { ClientCodec, EncodedRequest } from '../protocols/protocol.ts';
import { RefusedParameter } from '../protocols/refused-parameter.ts';
import type { ProxyRequest } from './decode.ts';

/** Gets what images and documents are at their addresses. Throws ClientError naming the address. */
export type ResolveSources = (request: CanonicalRequest, signal: AbortSignal) => Promise<CanonicalRequest>;

/** A request as an upstream of another protocol gets it. */
export interface TranslatedRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** What the upstream is not told, under the client's own names. */
  readonly dropped: readonly string[];
}

/** Translates one request. */
export class RequestTranslation {
  readonly #request: ProxyRequest;
  #canonical: CanonicalRequest | undefined;
  /** By backend: keys of its pool are tried one after the other. */
  readonly #written = new Map<string, TranslatedRequest>();
  #resolved: Promise<CanonicalRequest> | undefined;

  constructor(request: ProxyRequest) {
    this.#request = request;
  }

  /** The request as it was understood. Throws ClientError if it cannot be. */
  canonical({ client }: ChatLane, backend: Backend): CanonicalRequest {
    this.#canonical ??= client.decodeRequest(this.#bodyWithModel(modelOf(this.#request, backend)));
    return this.#canonical;
  }

  /** Whether the request can be written only when somebody has fetched something. */
  needsSources(lane: ChatLane, backend: Backend): boolean {
    return lane.upstream.needsBytes === true && namesAddresses(this.canonical(lane, backend));
  }

  /** Writes the request for a backend. Throws ClientError if it cannot be said. */
  write(lane: ChatLane, backend: Backend): TranslatedRequest {
    let written = this.#written.get(backend.id);
    if (written === undefined) {
      written = this.#encode(this.canonical(lane, backend), lane, backend);
      this.#written.set(backend.id, written);
    }
    return written;
  }

  /** The same, with the bytes that the request only gives the addresses of. */
  async writeResolved(lane: ChatLane, backend: Backend, resolve: ResolveSources): Promise<TranslatedRequest> {
    this.#resolved ??= resolve(this.canonical(lane, backend), this.#request.exchange.signal);
    return this.#encode(await this.#resolved, lane, backend);
  }

  #encode(canonical: CanonicalRequest, lane: ChatLane, backend: Backend): TranslatedRequest {
    const { maxOutputTokens, capabilities } = backend.modelConfig ?? {};
    const asked = { ...canonical, model: modelOf(this.#request, backend) };
    const { client, upstream } = lane;
    try {
      refuseChoices(asked);
      return toTranslated(upstream.encodeRequest(asked, { maxOutputTokens, capabilities }), client, backend);
    } catch (error) {
      throw error instanceof RefusedParameter ? inWordsOf(client, error) : error;
    }
  }

  /** Where a route has its own path, clients need not name a model. */
  #bodyWithModel(model: string): Buffer {
    const { peek, exchange } = this.#request;
    if (peek === undefined || peek.model !== undefined) return exchange.body;
    return rewriteMembers(exchange.body, peek.members, {
      set: new Map([['model', JSON.stringify(model)]]),
      remove: new Set(),
    });
  }
}

function modelOf(request: ProxyRequest, { upstreamModel }: Backend): string {
  const model = upstreamModel ?? request.model;
  if (model === undefined) throw new ClientError('model_required');
  return model;
}

/** Answers side by side have no place in the canonical model. */
function refuseChoices({ choiceCount = 1 }: CanonicalRequest): void {
  if (choiceCount !== 1) throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
}

function inWordsOf(client: ClientCodec, { parameter, why }: RefusedParameter): ClientError {
  const param = client.nameParameter(parameter);
  const upstream = { status: 400, message: `${param} ${why}`, code: 'unsupported_parameter', type: undefined, param };
  return new ClientError('invalid_request', { upstream });
}

function toTranslated(
  { body, dropped, headers = {} }: EncodedRequest,
  client: ClientCodec,
  { parameterEdits }: Backend,
): TranslatedRequest {
  return {
    body: parameterEdits === undefined ? body : rewriteMembers(body, readMembers(body).members, parameterEdits),
    headers,
    dropped: dropped.map(({ name, clamped }) => client.nameParameter(name) + (clamped === true ? '=clamped' : '')),
  };
}

function namesAddresses({ messages }: CanonicalRequest): boolean {
  return messages.some(({ content }) => content.some(isAddress));
}

function isAddress(block: Block): boolean {
  if (block.type === 'tool-result') return block.content.some(isAddress);
  return (block.type === 'image' || block.type === 'document') && block.source.type === 'url';
}
