// A chat, read for what is to be known of it before anybody is asked: once, whoever wants to know.

import { ClientError } from '../canonical/client-error.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import { protocolOf } from '../protocols/registry.ts';
import type { ProxyRequest } from './decode.ts';
import { bodyWithModel } from './written-request.ts';

/** Reads the body of one request. */
export class RequestChat {
  readonly #request: ProxyRequest;
  /** Null: it cannot be read, and that is another's to say. */
  #chat: CanonicalRequest | null | undefined;

  constructor(request: ProxyRequest) {
    this.#request = request;
  }

  /** Undefined for what is no chat, or cannot be understood. `model` is put in where the body names none. */
  read(model: string): CanonicalRequest | undefined {
    if (this.#chat === undefined) this.#chat = this.#decode(model) ?? null;
    return this.#chat ?? undefined;
  }

  #decode(model: string): CanonicalRequest | undefined {
    const { chat, ownChat = chat } = protocolOf(this.#request.operation.protocol);
    try {
      return ownChat?.decodeRequest(bodyWithModel(this.#request, model));
    } catch (error) {
      if (error instanceof ClientError) return undefined;
      throw error;
    }
  }
}
