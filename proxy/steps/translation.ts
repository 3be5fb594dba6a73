// The client's request in the words of other protocols: understood once, however many upstreams are asked, and written
// once for each backend.

import { ClientError } from '../canonical/client-error.ts';
import type { EmbeddingRequest } from '../canonical/embedding.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Backend } from '../config/snapshot.ts';
import { splitInputs } from '../protocols/embedding-batches.ts';
import type { ChatLane, EmbeddingsLane, PassThroughLane } from '../protocols/lane.ts';
import type { ClientCodec, Edits, UpstreamCodec } from '../protocols/protocol.ts';
import { RefusedParameter } from '../protocols/refused-parameter.ts';
import type { ProxyRequest } from './decode.ts';
import { laneOf } from './outgoing.ts';
import { namesAddresses, type ResolveSources, type Sources, withSources } from './sources.ts';
import { type Forgotten, withoutThinking } from './without-thinking.ts';
import { bodyWithModel, modelFor, write, type WrittenRequest } from './written-request.ts';

/** A part of a request for vectors: as many inputs as an upstream takes at once. */
export interface WrittenBatch extends WrittenRequest {
  readonly inputs: number;
}

/** What is changed in a body that is passed on. */
export interface PassedEdits {
  readonly edits: Edits;
  /** What the upstream is not told of it. */
  readonly dropped: readonly string[];
}

const unchanged: Edits = { set: new Map(), remove: new Set() };
const none: readonly string[] = [];

/** What the client has of an answer that is to be gone on with. */
export interface BegunAnswer {
  readonly text: string;
  readonly tokens: number;
}

/** Translates one request. */
export class RequestTranslation {
  readonly #request: ProxyRequest;
  /** By one codec: a protocol may have another one for upstreams of its own kind. */
  #chat: ({ readonly client: ClientCodec } & Forgotten) | undefined;
  /** An upstream has refused the thinking in the history: nobody is given it any more. */
  #forgets = false;
  #vectors: EmbeddingRequest | undefined;
  /** What was found at the addresses in the request, and the search for it. */
  #sources: Sources | undefined;
  #fetching: Promise<Sources> | undefined;
  /** The last that was written: keys of a backend's pool are tried one after the other. */
  #written: { readonly backend: string; readonly batches: readonly WrittenBatch[] } | undefined;

  constructor(request: ProxyRequest) {
    this.#request = request;
  }

  /** The chat as it was understood. Throws ClientError if it cannot be. */
  chat({ client }: Pick<ChatLane, 'client'>, backend: Backend): CanonicalRequest {
    const request = this.#request;
    if (this.#chat?.client !== client) {
      const decoded = client.decodeRequest(bodyWithModel(request, modelFor(request, backend)));
      const forgotten = this.#forgets ? withoutThinking(decoded) : undefined;
      this.#chat = { client, ...(forgotten ?? { request: decoded, lost: [] }) };
    }
    return this.#chat.request;
  }

  /** The same of a request for vectors. */
  vectors({ client }: EmbeddingsLane, backend: Backend): EmbeddingRequest {
    const request = this.#request;
    return (this.#vectors ??= client.decodeRequest(bodyWithModel(request, modelFor(request, backend))));
  }

  /**
   * Leaves thinking out of the history from now on, for an upstream that has refused it. False: it has been left out
   * already, or there is none.
   */
  forgetThinking(backend: Backend): boolean {
    if (this.#forgets) return false;
    const lane = laneOf(this.#request, backend);
    const canForget =
      lane?.type === 'chat'
        ? withoutThinking(this.chat(lane, backend)) !== undefined
        : lane?.type === 'pass-through' && this.#hasThinking(lane);
    if (!canForget) return false;
    this.#forgets = true;
    this.#chat = undefined;
    this.#written = undefined;
    return true;
  }

  /**
   * What is changed in a body that is passed on to a backend: first what the backend's parameters say, then what its server
   * needs, then what only this request does. Undefined where the body was not read.
   */
  editsFor(lane: PassThroughLane, { edits: parameters }: Backend): PassedEdits | undefined {
    const { peek, exchange } = this.#request;
    if (peek === undefined) return undefined;
    const { body } = exchange;
    const { members } = peek;
    const { edit, protocol, chat } = lane;
    const needed = edit?.({ body, members, edits: parameters }) ?? parameters;
    const kept = (this.#forgets && protocol.withoutThinking?.({ body, members, edits: needed })) || needed;
    const sources = chat?.upstream.needsBytes === true ? this.#sources : undefined;
    const edits = (sources && protocol.withSources?.({ body, members, edits: kept }, sources)) ?? kept;
    return { edits, dropped: kept === needed ? none : [...kept.remove].filter((name) => !needed.remove.has(name)) };
  }

  #hasThinking({ protocol }: PassThroughLane): boolean {
    const { peek, exchange } = this.#request;
    if (peek === undefined) return false;
    const edited = { body: exchange.body, members: peek.members, edits: unchanged };
    return (protocol.withoutThinking?.(edited) ?? unchanged) !== unchanged;
  }

  /** Whether a chat can be sent only when something has been fetched. */
  needsSources(lane: ChatLane | PassThroughLane, backend: Backend): boolean {
    if (this.#sources !== undefined) return false;
    if (lane.type === 'chat') return lane.upstream.needsBytes === true && namesAddresses(this.chat(lane, backend));
    const { chat } = lane;
    if (chat?.upstream.needsBytes !== true || !this.#request.exchange.body.includes('"url"')) return false;
    try {
      return namesAddresses(this.chat(chat, backend));
    } catch (error) {
      // What only the upstream understands is for it to judge.
      if (error instanceof ClientError) return false;
      throw error;
    }
  }

  /** Fetches it: once, however many backends need it. Throws ClientError. */
  async fetchSources(
    lane: ChatLane | PassThroughLane,
    backend: Backend,
    resolve: ResolveSources,
    deadlineAtMs: number,
  ): Promise<void> {
    const chat = lane.type === 'chat' ? lane : lane.chat;
    if (chat === undefined) return;
    const { exchange } = this.#request;
    this.#fetching ??= resolve(this.chat(chat, backend), { exchange, deadlineAtMs });
    this.#sources = await this.#fetching;
  }

  /** Writes the request for a backend, in as many parts as it has to have. Throws ClientError if it cannot be said. */
  write(lane: ChatLane | EmbeddingsLane, backend: Backend): readonly WrittenBatch[] {
    if (this.#written?.backend !== backend.id) {
      const batches = lane.type === 'chat' ? [this.#writeChat(lane, backend)] : this.#writeVectors(lane, backend);
      this.#written = { backend: backend.id, batches };
    }
    return this.#written.batches;
  }

  /** The same for a chat whose answer has begun: the model is to go on with what the client has. */
  writeContinued(lane: ChatLane, backend: Backend, begun: BegunAnswer): WrittenRequest {
    return this.#writeChat(lane, backend, begun);
  }

  #writeChat(lane: ChatLane, backend: Backend, begun?: BegunAnswer): WrittenBatch {
    const { client, upstream } = lane;
    const { maxOutputTokens, capabilities } = backend.modelConfig ?? {};
    const chat = this.chat(lane, backend);
    const filled =
      upstream.needsBytes === true && this.#sources !== undefined ? withSources(chat, this.#sources) : chat;
    const asked = { ...filled, model: modelFor(this.#request, backend), ...(begun && goOn(chat, begun)) };
    const encode = (): ReturnType<typeof upstream.encodeRequest> => {
      if (upstream.severalAnswers !== true) refuseChoices(asked);
      return upstream.encodeRequest(asked, { maxOutputTokens, capabilities });
    };
    const { dropped, ...written } = write(encode, client, parametersOf(backend, upstream));
    const lost = this.#chat?.lost.map((name) => client.nameParameter(name)) ?? [];
    return { ...written, dropped: [...dropped, ...lost], inputs: 1 };
  }

  #writeVectors(lane: EmbeddingsLane, backend: Backend): readonly WrittenBatch[] {
    const { client, upstream } = lane;
    const asked = { ...this.vectors(lane, backend), model: modelFor(this.#request, backend) };
    return splitInputs(asked, upstream.inputsMax).map((part) => {
      return {
        ...write(() => upstream.encodeRequest(part), client, backend.parameterEdits),
        inputs: part.inputs.length,
      };
    });
  }
}

/** The model goes on from the text, within what is left of the client's limit. */
function goOn({ maxOutputTokens }: CanonicalRequest, { text, tokens }: BegunAnswer): Partial<CanonicalRequest> {
  if (maxOutputTokens === undefined) return { prefill: text };
  return { prefill: text, maxOutputTokens: Math.max(1, maxOutputTokens - tokens) };
}

function parametersOf({ parameterEdits }: Backend, { completeParameters }: UpstreamCodec): Edits | undefined {
  return parameterEdits && (completeParameters?.(parameterEdits) ?? parameterEdits);
}

/** Of most upstreams' protocols answers side by side cannot be asked for. */
function refuseChoices({ choiceCount = 1 }: CanonicalRequest): void {
  if (choiceCount !== 1) throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
}
