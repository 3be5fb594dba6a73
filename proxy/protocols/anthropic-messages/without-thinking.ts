// What has to be changed in a body that is passed on so that the thinking in its history is gone: for upstreams that refuse
// it because it is not theirs.

import { listOf, textOf, withoutMember } from '../edits.ts';
import type { ListElement } from '../json-list.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { EditedBody, Edits } from '../protocol.ts';
import { messagesWithout } from './messages-without.ts';

/** Leaves it out, and what depends on it. */
export function withoutThinking(edited: EditedBody): Edits {
  const edits = messagesWithout(edited, isThinking);
  if (!hasBudget(edited) || !goesOn(listOf(edited, 'messages'))) return edits;
  const lost = edited.members.map(({ name }) => name).filter((name) => isOfThinking(name) && !edits.set.has(name));
  return lost.reduce(withoutMember, edits);
}

function isThinking({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** Inside a row of tool calls a model that thinks by a budget has to be shown how it began. */
function goesOn(messages: readonly ListElement[] | undefined): boolean {
  const last = messages?.at(-1)?.value['content'];
  return Array.isArray(last) && last.some((block) => isJsonObject(block) && block['type'] === 'tool_result');
}

function hasBudget(edited: EditedBody): boolean {
  const thinking = parseJson(textOf(edited, 'thinking') ?? '');
  return isJsonObject(thinking) && thinking['type'] === 'enabled';
}

/** Clearing thinking out of the context is refused where there is none. */
function isOfThinking(name: string): boolean {
  return name === 'thinking' || name === 'context_management';
}
