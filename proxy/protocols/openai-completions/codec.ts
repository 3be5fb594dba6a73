// The translating lane of legacy completions. Only towards clients: no upstream that chats is asked for these.

import type { ClientCodec } from '../protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { CompletionStreamEncoder } from './stream-encoder.ts';

/** Towards clients. */
export const openaiCompletionsClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse,
  streamEncoder: (context) => new CompletionStreamEncoder(context),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

/** Members of the canonical request that have another name here. */
const parameterNames: { readonly [canonical: string]: string } = {
  messages: 'prompt',
  maxOutputTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  choiceCount: 'n',
  userId: 'user',
};
