// The pass-through lanes: bytes stay bytes, line by line or as one answer.

import { rewriteMembers } from '../json-members.ts';
import { readJsonAnswer, type ReadWholeAnswer } from '../openai/json-answer.ts';
import { ndjson } from '../ndjson-frames.ts';
import type { PassThroughProtocol } from '../protocol.ts';
import type { OllamaProtocolId } from './client.ts';
import { readEmbedFacts, readEmbeddingsFacts } from './embed/facts.ts';
import { readWholeFacts } from './facts.ts';
import { LineJudge } from './line-judge.ts';

/** Pass-through of `ollama-chat`. */
export const ollamaChatPassThrough = createPassThrough('ollama-chat', readWholeFacts);
/** Pass-through of `ollama-generate`. */
export const ollamaGeneratePassThrough = createPassThrough('ollama-generate', readWholeFacts);
/** Pass-through of `ollama-embed`, which is never streamed. */
export const ollamaEmbedPassThrough = createPassThrough('ollama-embed', readEmbedFacts);
/** Pass-through of `ollama-embeddings`, which is never streamed. */
export const ollamaEmbeddingsPassThrough = createPassThrough('ollama-embeddings', readEmbeddingsFacts);

function createPassThrough(id: OllamaProtocolId, readAnswer: ReadWholeAnswer): PassThroughProtocol {
  return {
    id,
    streamFormat: ndjson,
    rewrite: (body, peek, edits) => rewriteMembers(body, peek.members, edits),
    readAnswer: (body, headers = {}) => readJsonAnswer(body, headers, readAnswer),
    // Counts come in the last line, which every client has to see: there is nothing to hide.
    tap: ({ headers }) => new LineJudge(headers),
  };
}
