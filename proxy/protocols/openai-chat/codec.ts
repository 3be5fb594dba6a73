// The translating lane of chat completions.

import type { ClientCodec, UpstreamCodec } from '../protocol.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import type { ChatDialect } from './dialect.ts';
import { encodeRequest } from './encode-request.ts';
import { encodeResponse } from './encode-response.ts';
import { ChatStreamDecoder } from './stream-decoder.ts';
import { ChatStreamEncoder } from './stream-encoder.ts';

/** Towards clients. */
export const openaiChatClientCodec: ClientCodec = {
  decodeRequest,
  encodeResponse,
  streamEncoder: (context) => new ChatStreamEncoder(context),
};

/** Towards one kind of server. */
export function createOpenaiChatUpstreamCodec(dialect: ChatDialect): UpstreamCodec {
  return {
    encodeRequest: (request) => encodeRequest(request, dialect),
    decodeResponse,
    streamDecoder: (options) => new ChatStreamDecoder(options),
  };
}
