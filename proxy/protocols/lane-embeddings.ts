// The answer side of the lane of embeddings, in the shape of the pass-through lane.

import type { EmbeddingResponse } from '../canonical/embedding.ts';
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
      const told = context();
      const response = counted(decoded.response, told);
      const written = client.encodeResponse(response, told);
      return { usage: response.usage, signal: undefined, empty: false, body: written };
    },
    tap() {
      throw new Error('vectors are not streamed');
    },
  };
}

/** An answer with usage, estimated where the upstream does not count. */
export function counted(response: EmbeddingResponse, { estimateTokens }: EmbeddingAnswerContext): EmbeddingResponse {
  if (response.usage !== undefined || estimateTokens === undefined) return response;
  return { ...response, usage: { inputTokens: estimateTokens(), outputTokens: 0, estimated: true } };
}
