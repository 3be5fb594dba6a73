// Log probabilities in the form that clients of OpenAI know. https://ai.google.dev/api/generate-content#LogprobsResult

import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { textOf } from './wire.ts';

/** Reads the log probabilities of a candidate; undefined if there are none. */
export function decodeLogprobs(candidate: JsonObject): JsonObject | undefined {
  const result = candidate['logprobsResult'];
  if (!isJsonObject(result) || !Array.isArray(result['chosenCandidates'])) return undefined;
  const alternatives = Array.isArray(result['topCandidates']) ? result['topCandidates'] : [];
  const content = result['chosenCandidates'].filter(isJsonObject).map((chosen, place) => {
    const top: unknown = alternatives[place];
    const others = isJsonObject(top) && Array.isArray(top['candidates']) ? top['candidates'].filter(isJsonObject) : [];
    return { ...toToken(chosen), top_logprobs: others.map(toToken) };
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}

function toToken({ token, logProbability }: JsonObject): JsonObject {
  return { token: textOf(token), logprob: typeof logProbability === 'number' ? logProbability : 0, bytes: null };
}
