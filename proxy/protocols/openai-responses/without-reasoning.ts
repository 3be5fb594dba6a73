// What has to be changed in a body that is passed on so that the reasoning in its history is gone: another account's is
// refused.

import { listOf, withMember } from '../edits.ts';
import { writeList } from '../json-list.ts';
import type { EditedBody, Edits } from '../protocol.ts';

/** Leaves it out. */
export function withoutReasoning(edited: EditedBody): Edits {
  const items = listOf(edited, 'input');
  const kept = items?.filter(({ value }) => value['type'] !== 'reasoning');
  if (kept === undefined || kept.length === items?.length) return edited.edits;
  return withMember(edited.edits, 'input', writeList(kept.map(({ bytes }) => bytes)));
}
