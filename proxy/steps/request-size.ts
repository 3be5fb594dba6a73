// Whether a request fits into a model. Read and counted only if its bytes leave it open, and once for all backends.

import { countInputTokens, inputTokensAtMost } from '../protocols/tokens/request-tokens.ts';
import { encodingOf, type Encoding } from '../protocols/tokens/tokenizer.ts';
import type { ProxyRequest } from './decode.ts';
import { RequestChat } from './request-chat.ts';

/** The size of one request. */
export class RequestSize {
  readonly #request: ProxyRequest;
  readonly #chat: RequestChat;
  #atMost: number | undefined;
  readonly #counted = new Map<Encoding, number>();

  constructor(request: ProxyRequest, chat = new RequestChat(request)) {
    this.#request = request;
    this.#chat = chat;
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
    const chat = this.#chat.read(model);
    if (chat === undefined) return 0;
    const encoding = encodingOf(model);
    const known = this.#counted.get(encoding);
    if (known !== undefined) return known;
    const tokens = countInputTokens({ ...chat, model });
    this.#counted.set(encoding, tokens);
    return tokens;
  }
}
