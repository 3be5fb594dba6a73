// What has to be changed in a body that is passed on so that the reasoning in its history is gone: another account's is
// refused.

import { listOf, withMember } from '../edits.ts';
import { editList, writeList } from '../json-list.ts';
import type { EditedBody, Edits } from '../protocol.ts';

/** Leaves it out. */
export function withoutReasoning(edited: EditedBody): Edits {
  const kept = editList(listOf(edited, 'input'), ({ value, bytes }) => {
    return value['type'] === 'reasoning' ? undefined : bytes;
  });
  return kept === undefined ? edited.edits : withMember(edited.edits, 'input', writeList(kept));
}
