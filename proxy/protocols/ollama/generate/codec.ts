// The translating lane of generate: only towards clients, because every server that has it has chat too.

import type { ClientCodec } from '../../protocol.ts';
import { encodeAnswer, encodeResponseText } from '../encode-answer.ts';
import { parameterNames } from '../options.ts';
import { OllamaStreamEncoder } from '../stream-encoder.ts';
import { decodeRequest } from './decode-request.ts';

/** Towards clients. */
export const ollamaGenerateClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse: (response, context) => encodeAnswer(response, context, encodeResponseText),
  streamEncoder: (context) => new OllamaStreamEncoder(context, encodeResponseText),
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};
