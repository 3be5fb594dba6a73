// The translating lane of responses. Only towards clients: upstreams that have this operation are asked for it by
// clients of this protocol alone, whose bytes stay as they are.

import type { ClientCodec } from '../protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { ResponseStreamEncoder } from './stream-encoder.ts';

/** Towards clients. */
export const openaiResponsesClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse,
  streamEncoder: (context) => new ResponseStreamEncoder(context),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

/** Members of the canonical request, or of chat completions, that have another name here. */
const parameterNames: { readonly [canonical: string]: string } = {
  messages: 'input',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  maxOutputTokens: 'max_output_tokens',
  topP: 'top_p',
  topLogprobs: 'top_logprobs',
  responseFormat: 'text.format',
  verbosity: 'text.verbosity',
  reasoningEffort: 'reasoning.effort',
  userId: 'safety_identifier',
};
