// The translating lane of chat.

import { ndjson } from '../../ndjson-frames.ts';
import type { ClientCodec, UpstreamCodec } from '../../protocol.ts';
import { encodeAnswer, encodeMessage } from '../encode-answer.ts';
import { parameterNames } from '../options.ts';
import { OllamaStreamEncoder } from '../stream-encoder.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import { encodeRequest } from './encode-request.ts';
import { OllamaStreamDecoder } from './stream-decoder.ts';

/** Towards clients. */
export const ollamaChatClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse: (response, context) => encodeAnswer(response, context, encodeMessage),
  streamEncoder: (context) => new OllamaStreamEncoder(context, encodeMessage),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

/** Towards servers, which fetch no pictures. */
export const ollamaChatUpstreamCodec: UpstreamCodec = {
  streamFormat: ndjson,
  needsBytes: true,
  encodeRequest,
  decodeResponse,
  streamDecoder: (options) => new OllamaStreamDecoder(options),
};
