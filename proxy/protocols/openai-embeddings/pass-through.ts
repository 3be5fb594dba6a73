// The pass-through lane of embeddings, which are never streamed.

import { isError } from '../openai/choices.ts';
import { createPassThrough } from '../openai/pass-through.ts';
import type { FrameFacts } from '../openai/stream-judge.ts';
import { type JsonObject, readUsage } from '../openai/wire.ts';

/** Pass-through of `openai-embeddings`. */
export const openaiEmbeddingsPassThrough = createPassThrough({
  id: 'openai-embeddings',
  readFrame: readFacts,
  readAnswer(json) {
    const facts = readFacts(json);
    return facts.failure === undefined && !Array.isArray(json['data']) ? 'the answer has no data' : facts;
  },
});

function readFacts(json: JsonObject): FrameFacts {
  return {
    content: Array.isArray(json['data']) && json['data'].length > 0,
    usage: readUsage(json['usage']),
    usageOnly: false,
    seen: [],
    ended: [],
    filtered: false,
    failure: isError(json) ? { type: 'error' } : undefined,
    sequence: undefined,
  };
}
