// Leaves blocks out of the answers in a history; everything else keeps its bytes.

import { listOf, withMember } from '../edits.ts';
import { type ListElement, readList, writeList } from '../json-list.ts';
import { rewriteMembers } from '../json-members.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { EditedBody, Edits } from '../protocol.ts';

/** Whether a block is to be left out. */
type IsDropped = (block: JsonObject) => boolean;

/** The same edits where nothing is left out. */
export function messagesWithout(edited: EditedBody, isDropped: IsDropped): Edits {
  const { edits } = edited;
  const messages = listOf(edited, 'messages');
  const kept = messages?.map((message) => without(message, isDropped));
  if (kept === undefined || kept.every((bytes, index) => bytes === messages?.[index]?.bytes)) return edits;
  return withMember(edits, 'messages', writeList(kept.filter((bytes) => bytes !== undefined)));
}

/** The same bytes where nothing is left out. A turn that has nothing left would be refused for it: undefined. */
function without({ value, bytes, members }: ListElement, isDropped: IsDropped): Buffer | undefined {
  if (value['role'] !== 'assistant') return bytes;
  const blocks = readList(bytes, members, 'content');
  const kept = blocks?.filter((block) => !isDropped(block.value));
  if (kept === undefined || kept.length === blocks?.length) return bytes;
  if (kept.length === 0) return undefined;
  const set = new Map([['content', writeList(kept.map((block) => block.bytes))]]);
  return rewriteMembers(bytes, members, { set, remove: new Set() });
}
