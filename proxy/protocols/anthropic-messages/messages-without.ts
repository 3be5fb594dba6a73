// Leaves blocks out of the answers in a history; everything else keeps its bytes.

import { listOf, withMember } from '../edits.ts';
import { editList, type ListElement, readList, withList, writeList } from '../json-list.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { EditedBody, Edits } from '../protocol.ts';

/** Whether a block is to be left out. */
type IsDropped = (block: JsonObject) => boolean;

/** The same edits where nothing is left out. */
export function messagesWithout(edited: EditedBody, isDropped: IsDropped): Edits {
  const kept = editList(listOf(edited, 'messages'), (message) => without(message, isDropped));
  return kept === undefined ? edited.edits : withMember(edited.edits, 'messages', writeList(kept));
}

/** The same bytes where nothing is left out. A turn that has nothing left would be refused for it: undefined. */
function without(message: ListElement, isDropped: IsDropped): Buffer | undefined {
  const { value, bytes, members } = message;
  if (value['role'] !== 'assistant') return bytes;
  const blocks = readList(bytes, members, 'content');
  const kept = editList(blocks, (block) => (isDropped(block.value) ? undefined : block.bytes));
  if (kept === undefined) return bytes;
  return kept.length === 0 ? undefined : withList(message, 'content', kept);
}
