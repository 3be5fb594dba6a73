// The translating lane of Bedrock's Converse: one form for the models of every vendor there.

import type { UpstreamCodec } from '../protocol.ts';
import { decodeResponse } from './decode-response.ts';
import { encodeRequest } from './encode-request.ts';
import { eventStream } from './event-stream.ts';
import { ConverseStreamDecoder } from './stream-decoder.ts';

/** Towards Bedrock. */
export const bedrockConverseUpstreamCodec: UpstreamCodec = {
  streamFormat: eventStream,
  needsBytes: true,
  // White space at the end of a turn is refused.
  prefill: 'trimmed',
  encodeRequest,
  decodeResponse,
  streamDecoder: (options) => new ConverseStreamDecoder(options),
};
