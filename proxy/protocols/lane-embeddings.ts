// The answer side of the lane of embeddings, in the shape of the pass-through lane.

import type { EmbeddingAnswerContext } from './embedding-codec.ts';
import type { EmbeddingsLane } from './lane.ts';
import type { AnswerProtocol } from './protocol.ts';

/** Reads answers to requests of so many inputs as answers of the client's protocol. */
export function createEmbeddingAnswers(
  { client, upstream }: EmbeddingsLane,
  inputs: number,
  context: () => EmbeddingAnswerContext,
): AnswerProtocol {
  return {
    rewrites: true,
    readAnswer(body, headers = {}) {
      const decoded = upstream.decodeResponse(body, inputs, headers);
      if (decoded.type === 'invalid') return { usage: undefined, signal: decoded.signal, empty: true };
      const { response } = decoded;
      const written = client.encodeResponse(response, context());
      return { usage: response.usage, signal: undefined, empty: false, body: written };
    },
    tap() {
      throw new Error('vectors are not streamed');
    },
  };
}
