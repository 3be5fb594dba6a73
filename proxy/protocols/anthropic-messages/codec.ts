// The translating lane of messages.

import type { ClientCodec, UpstreamCodec } from '../protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import type { AnthropicDialect } from './dialect.ts';
import { encodeRequest } from './encode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { refuseHosted } from './refuse-hosted.ts';
import { MessageStreamDecoder } from './stream-decoder.ts';
import { MessageStreamEncoder } from './stream-encoder.ts';

/** Towards clients whose upstream speaks this protocol too, but not in the same dialect. */
export const anthropicMessagesOwnCodec: ClientCodec = {
  decodeRequest,
  encodeResponse,
  streamEncoder: (context) => new MessageStreamEncoder(context),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

/** Towards clients whose upstream speaks another protocol: what only Anthropic can do is refused. */
export const anthropicMessagesClientCodec: ClientCodec = {
  ...anthropicMessagesOwnCodec,
  decodeRequest(body) {
    const request = decodeRequest(body);
    refuseHosted(request);
    return request;
  },
};

/** Members of the canonical request that have another name here. */
const parameterNames: { readonly [canonical: string]: string } = {
  toolChoice: 'tool_choice',
  parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
  maxOutputTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop_sequences',
  responseFormat: 'output_config.format',
  reasoningEffort: 'output_config.effort',
  userId: 'metadata.user_id',
};

/** Towards one kind of server. */
export function createAnthropicUpstreamCodec(dialect: AnthropicDialect): UpstreamCodec {
  return {
    needsBytes: !dialect.urlSources,
    encodeRequest: (request, model) => encodeRequest(request, dialect, model),
    decodeResponse,
    streamDecoder: (options) => new MessageStreamDecoder(options),
    prefill: 'trimmed',
  };
}
