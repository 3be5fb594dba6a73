// What whole answers with vectors say: the newer operation has several, the older one.

import { type EmbeddingFacts, toAnswerFacts } from '../../embedding-answer.ts';
import type { FrameFacts } from '../../openai/stream-judge.ts';
import type { JsonObject } from '../../openai/wire.ts';
import { isFailure, readCounts } from '../wire.ts';

/** Reads an answer of `ollama-embed`. */
export function readEmbed(json: JsonObject): EmbeddingFacts {
  const vectors = json['embeddings'];
  return {
    vectors: Array.isArray(vectors) ? vectors : undefined,
    usage: readCounts(json),
    failed: isFailure(json),
  };
}

/** The same for the relay, or why it is none. */
export function readEmbedFacts(json: JsonObject): FrameFacts | string {
  return toAnswerFacts(readEmbed(json));
}

/** Reads an answer of `ollama-embeddings` for the relay: the one vector's numbers are what may be missing. */
export function readEmbeddingsFacts(json: JsonObject): FrameFacts | string {
  const vector = json['embedding'];
  const vectors = Array.isArray(vector) ? vector : undefined;
  return toAnswerFacts({ vectors, usage: undefined, failed: isFailure(json) });
}
