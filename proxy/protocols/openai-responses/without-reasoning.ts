// What has to be changed in a body that is passed on so that the reasoning in its history is gone: another account's is
// refused.

import { readList, writeList } from '../json-list.ts';
import type { Edits, MemberSpan } from '../protocol.ts';

/** Undefined where there is none. */
export function withoutReasoning(body: Buffer, members: readonly MemberSpan[]): Edits | undefined {
  const items = readList(body, members, 'input');
  const kept = items?.filter(({ value }) => value['type'] !== 'reasoning');
  if (kept === undefined || kept.length === items?.length) return undefined;
  return { set: new Map([['input', writeList(kept.map(({ bytes }) => bytes))]]), remove: new Set() };
}
