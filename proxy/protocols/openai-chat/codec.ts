// The translating lane of chat completions.

import type { ClientCodec, UpstreamCodec } from '../protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import type { ChatDialect } from './dialect.ts';
import { encodeRequest } from './encode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { completeParameters } from './max-tokens.ts';
import { ChatStreamDecoder } from './stream-decoder.ts';
import { ChatStreamEncoder } from './stream-encoder.ts';

/** Towards clients. */
export const openaiChatClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse,
  streamEncoder: (context) => new ChatStreamEncoder(context),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

/** Members of the canonical request that have another name here. */
const parameterNames: { readonly [canonical: string]: string } = {
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  maxOutputTokens: 'max_completion_tokens',
  topP: 'top_p',
  topK: 'top_k',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  choiceCount: 'n',
  // Without the one the other means nothing.
  topLogprobs: 'logprobs',
  responseFormat: 'response_format',
  reasoningEffort: 'reasoning_effort',
  userId: 'user',
};

/** Towards one kind of server. */
export function createOpenaiChatUpstreamCodec(dialect: ChatDialect): UpstreamCodec {
  return {
    completeParameters,
    encodeRequest: (request, model) => encodeRequest(request, dialect, model),
    decodeResponse,
    streamDecoder: (options) => new ChatStreamDecoder(options),
    prefill: dialect.prefill === undefined ? undefined : dialect.echoesPrefill === true ? 'echoed' : 'exact',
  };
}
