// What has to be changed in a body that is passed on so that the thinking in its history is gone: for upstreams that refuse
// it because it is not theirs.

import { readList, type ListElement, writeList } from '../json-list.ts';
import { rewriteMembers } from '../json-members.ts';
import { isJsonObject } from '../openai/wire.ts';
import type { Edits, MemberSpan } from '../protocol.ts';

/** Undefined where there is none, and nothing that depends on it. */
export function withoutThinking(body: Buffer, members: readonly MemberSpan[]): Edits | undefined {
  const messages = readList(body, members, 'messages');
  if (messages === undefined) return undefined;
  const kept = messages.map(stripped);
  const set = new Map<string, string>();
  if (kept.some((bytes, index) => bytes !== messages[index]?.bytes)) {
    set.set('messages', writeList(kept.filter((bytes) => bytes !== undefined)));
  }
  const remove = new Set(
    goesOn(messages) && hasBudget(body, members) ? members.map(({ name }) => name).filter(isOfThinking) : [],
  );
  return set.size === 0 && remove.size === 0 ? undefined : { set, remove };
}

/** The same bytes where nothing is left out; undefined where nothing is left. */
function stripped({ value, bytes, members }: ListElement): Buffer | undefined {
  if (value['role'] !== 'assistant') return bytes;
  const blocks = readList(bytes, members, 'content');
  const kept = blocks?.filter((block) => !isThinking(block));
  if (kept === undefined || kept.length === blocks?.length) return bytes;
  if (kept.length === 0) return undefined;
  const set = new Map([['content', writeList(kept.map((block) => block.bytes))]]);
  return rewriteMembers(bytes, members, { set, remove: new Set() });
}

function isThinking({ value: { type } }: ListElement): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** Inside a row of tool calls a model that thinks by a budget has to be shown how it began. */
function goesOn(messages: readonly ListElement[]): boolean {
  const last = messages.at(-1)?.value['content'];
  return Array.isArray(last) && last.some((block) => isJsonObject(block) && block['type'] === 'tool_result');
}

function hasBudget(body: Buffer, members: readonly MemberSpan[]): boolean {
  const member = members.find(({ name }) => name === 'thinking');
  const thinking: unknown = member && JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd));
  return isJsonObject(thinking) && thinking['type'] === 'enabled';
}

/** Clearing thinking out of the context is refused where there is none. */
function isOfThinking(name: string): boolean {
  return name === 'thinking' || name === 'context_management';
}
