// What chat completions look like on the wire, as far as Sluice reads them.
// https://platform.openai.com/docs/api-reference/chat

import { isJsonObject, type JsonObject } from '../openai/wire.ts';

/** Members of a message or delta that are text. `reasoning` and `reasoning_content` are vendors' additions. */
const textMembers = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const;
/** Members that are lists of pieces; `images` and `reasoning_details` are OpenRouter's. */
const listMembers = ['content', 'tool_calls', 'reasoning_details', 'images'] as const;
const objectMembers = ['function_call', 'audio'] as const;

/** Whether a choice carries something that a client waits for: in its delta, or in its message if the answer is whole. */
export function hasContent(choice: JsonObject): boolean {
  // Azure's asynchronous filter sends choices that have neither.
  const piece = choice['delta'] ?? choice['message'];
  if (!isJsonObject(piece)) return false;
  return (
    textMembers.some((name) => typeof piece[name] === 'string' && piece[name] !== '') ||
    listMembers.some((name) => Array.isArray(piece[name]) && piece[name].length > 0) ||
    objectMembers.some((name) => isJsonObject(piece[name]))
  );
}
