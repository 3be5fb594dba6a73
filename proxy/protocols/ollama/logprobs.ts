// Log probabilities: the entries are those of chat completions, in another place. They are the only facts of another
// protocol that are read here, because a request for them would else be answered without them.

import type { Metadata } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { chat } from '../openai-chat/wire.ts';

/** What is kept of the log probabilities of a line. */
export function decodeLogprobs(json: JsonObject): { readonly metadata?: Metadata } {
  const logprobs = json['logprobs'];
  if (!Array.isArray(logprobs) || logprobs.length === 0) return {};
  return { metadata: { [chat]: { logprobs: toChat(logprobs) } } };
}

/** The same of a whole answer, where chat completions have them beside the message. */
export function decodeWholeLogprobs(json: JsonObject): Metadata {
  const logprobs = json['logprobs'];
  if (!Array.isArray(logprobs) || logprobs.length === 0) return {};
  return { [chat]: { choice: { logprobs: toChat(logprobs) } } };
}

/** Official clients of chat completions expect every member of an entry. */
function toChat(logprobs: readonly unknown[]): JsonObject {
  const content = logprobs.filter(isJsonObject).map((entry) => ({ bytes: null, top_logprobs: [], ...entry }));
  return { content, refusal: null };
}

/** The log probabilities of a part or an answer, as a member to spread. */
export function encodeLogprobs(of: { readonly metadata?: Metadata }): { readonly logprobs?: readonly unknown[] } {
  const theirs = of.metadata?.[chat] ?? {};
  const choice = theirs['choice'];
  const found = theirs['logprobs'] ?? (isJsonObject(choice) ? choice['logprobs'] : undefined);
  const content = isJsonObject(found) ? found['content'] : undefined;
  return Array.isArray(content) && content.length > 0 ? { logprobs: content } : {};
}
