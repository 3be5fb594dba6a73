// Whether a request fits into a model. Read and counted only if its bytes leave it open, and once for all backends.

import { ClientError } from '../canonical/client-error.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import { protocolOf } from '../protocols/registry.ts';
import { countInputTokens, inputTokensAtMost } from '../protocols/tokens/request-tokens.ts';
import { encodingOf, type Encoding } from '../protocols/tokens/tokenizer.ts';
import type { ProxyRequest } from './decode.ts';
import { bodyWithModel } from './written-request.ts';

/** The size of one request. */
export class RequestSize {
  readonly #request: ProxyRequest;
  #atMost: number | undefined;
  /** Null: it cannot be read, and that is another's to say. */
  #chat: CanonicalRequest | null | undefined;
  readonly #counted = new Map<Encoding, number>();

  constructor(request: ProxyRequest) {
    this.#request = request;
  }

  /**
   * Whether the request has more input tokens than `limit`, as far as can be told here (request-tokens.ts): no for what
   * is no chat, or cannot be understood. `model` is the upstream's, whose tokens are meant.
   */
  exceeds(limit: number, model: string): boolean {
    this.#atMost ??= inputTokensAtMost(this.#request.exchange.body);
    return this.#atMost > limit && this.#count(model) > limit;
  }

  #count(model: string): number {
    const chat = (this.#chat ??= this.#read(model));
    if (chat === null) return 0;
    const encoding = encodingOf(model);
    const known = this.#counted.get(encoding);
    if (known !== undefined) return known;
    const tokens = countInputTokens({ ...chat, model });
    this.#counted.set(encoding, tokens);
    return tokens;
  }

  #read(model: string): CanonicalRequest | null {
    const { chat, ownChat = chat } = protocolOf(this.#request.operation.protocol);
    try {
      return ownChat?.decodeRequest(bodyWithModel(this.#request, model)) ?? null;
    } catch (error) {
      if (error instanceof ClientError) return null;
      throw error;
    }
  }
}
