// The translating lane towards Cohere. There are no clients of this protocol here.

import type { UpstreamCodec } from '../protocol.ts';
import { decodeResponse } from './decode-response.ts';
import { encodeRequest } from './encode-request.ts';
import { CohereStreamDecoder } from './stream-decoder.ts';

/** `cohere`. */
export const cohereUpstreamCodec: UpstreamCodec = {
  encodeRequest,
  decodeResponse,
  streamDecoder: (options) => new CohereStreamDecoder(options),
};
