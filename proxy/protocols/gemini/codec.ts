// The translating lane towards Gemini and Vertex. There are no clients of this protocol here.

import type { UpstreamCodec } from '../protocol.ts';
import { decodeResponse } from './decode-response.ts';
import { type GeminiDialect, type GeminiDialectName, geminiDialects } from './dialect.ts';
import { encodeRequest } from './encode-request.ts';
import type { SignatureMemory } from './signature.ts';
import { GeminiStreamDecoder } from './stream-decoder.ts';

/** Towards one service. `memory` helps clients that lose the signatures of calls; without it they do no worse than that. */
export function createGeminiUpstreamCodec(dialect: GeminiDialect, memory?: SignatureMemory): UpstreamCodec {
  const { service } = dialect;
  return {
    needsBytes: true,
    severalAnswers: true,
    encodeRequest: (request, model = {}) => encodeRequest(request, { dialect, memory, model }),
    decodeResponse: (body, fallbackId, headers = {}) => decodeResponse(body, { service, memory, fallbackId, headers }),
    streamDecoder: ({ fallbackId, headers = {} }) => new GeminiStreamDecoder({ service, memory, fallbackId, headers }),
  };
}

/** The codecs for both services by the names of their dialects; Gemini's own if none is said. Throws on any other name. */
export function createGeminiUpstreams(memory?: SignatureMemory): (dialect: string | undefined) => UpstreamCodec {
  const codecs = new Map(
    Object.entries(geminiDialects).map(([name, dialect]) => [name, createGeminiUpstreamCodec(dialect, memory)]),
  );
  return (dialect = 'gemini' satisfies GeminiDialectName) => {
    const codec = codecs.get(dialect);
    if (codec === undefined) throw new Error(`Gemini's protocol has no dialect ${dialect}`);
    return codec;
  };
}
