// What a request wants of a model, against what the configuration says of it (`models[].capabilities`, `maxContextTokens`).
// Nothing is read where nothing is declared, or where the bytes of the body already say that nothing is wanted.

import type { Block } from '../canonical/block.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { Backend } from '../config/snapshot.ts';
import type { ProxyRequest } from './decode.ts';
import { RequestChat } from './request-chat.ts';
import { RequestSize } from './request-size.ts';

/** What a request may want that not every model can. */
export type Need = 'Tools' | 'Vision' | 'Documents' | 'Audio' | 'JSONSchema' | 'Reasoning';

/** Rule 15: an estimate may be wrong by as much. */
const tolerance = 1.1;

/** How bodies of any protocol say that they want one of these; too often is better than too seldom. */
const marks = [
  '"tools"',
  'image',
  'document',
  'file',
  'audio',
  'schema',
  '"format"',
  'reasoning',
  'think',
  'effort',
].map((mark) => Buffer.from(mark));

/** The needs of one request. */
export class RequestNeeds {
  readonly #request: ProxyRequest;
  readonly #chat: RequestChat;
  readonly #size: RequestSize;
  #needs: readonly Need[] | undefined;

  constructor(request: ProxyRequest) {
    this.#request = request;
    this.#chat = new RequestChat(request);
    this.#size = new RequestSize(request, this.#chat);
  }

  /** Whether a model can do all that is wanted, as far as anybody has said what it can. */
  areMetBy({ modelConfig, upstreamModel }: Backend): boolean {
    const capabilities = modelConfig?.capabilities;
    return capabilities === undefined || this.#of(upstreamModel).every((need) => capabilities.includes(need));
  }

  /** Rule 15: false if the request is longer than the context of the model by more than a tenth. */
  fitsInto({ modelConfig, upstreamModel }: Backend): boolean {
    const tokens = modelConfig?.maxContextTokens;
    return tokens === undefined || !this.#size.exceeds(tokens * tolerance, upstreamModel ?? this.#request.model ?? '');
  }

  /** What the client is told where no model can. */
  refusal(backends: readonly Backend[]): ClientError {
    const wanted = this.#of(backends[0]?.upstreamModel);
    const nowhere = wanted.filter((need) => !backends.some((each) => each.modelConfig?.capabilities?.includes(need)));
    const message =
      nowhere.length > 0
        ? `The request needs what no model of the route has: ${nowhere.join(', ')}.`
        : `The request needs ${wanted.join(', ')}, and no model of the route has all of it.`;
    return new ClientError('unsupported_capability', { message });
  }

  #of(upstreamModel: string | undefined): readonly Need[] {
    this.#needs ??= this.#read(upstreamModel ?? this.#request.model ?? '');
    return this.#needs;
  }

  #read(model: string): readonly Need[] {
    const { body } = this.#request.exchange;
    if (!marks.some((mark) => body.includes(mark))) return [];
    const chat = this.#chat.read(model);
    return chat === undefined ? [] : needsOf(chat);
  }
}

/** What a chat wants of a model. */
export function needsOf(chat: CanonicalRequest): readonly Need[] {
  const { tools, messages, responseFormat, reasoningEffort = 'none', thinking, metadata } = chat;
  const needs = new Set<Need>();
  if (tools.length > 0) needs.add('Tools');
  for (const { content } of messages) addNeeds(content, needs);
  const modalities = metadata['openai-chat']?.['modalities'];
  if (Array.isArray(modalities) && modalities.includes('audio')) needs.add('Audio');
  if (responseFormat?.type === 'json-schema') needs.add('JSONSchema');
  const thinks = thinking === undefined ? reasoningEffort !== 'none' : thinking.type !== 'off';
  if (thinks) needs.add('Reasoning');
  return [...needs];
}

function addNeeds(content: readonly Block[], needs: Set<Need>): void {
  for (const block of content) {
    if (block.type === 'image') needs.add('Vision');
    else if (block.type === 'document') needs.add('Documents');
    else if (block.type === 'audio') needs.add('Audio');
    else if (block.type === 'tool-result') addNeeds(block.content, needs);
  }
}
