// Answers of Gemini and Vertex.

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import type { UpstreamCodec } from '../../../../proxy/protocols/protocol.ts';
import { framesOf } from '../fixture.ts';
import { recordingsIn } from '../recorded.ts';

export const { streams, answers, bytesOf } = recordingsIn(new URL('fixtures/', import.meta.url));

/** The parts of a stream that arrives in pieces of `size` bytes. */
export function decode(codec: UpstreamCodec, bytes: Buffer, size = bytes.length): readonly StreamPart[] {
  const decoder = codec.streamDecoder({ fallbackId: 'req-7' });
  return [...framesOf(bytes, size).flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}
