// Edits elements of lists inside a body; everything else keeps its bytes.

import type { JsonObject } from './openai/wire.ts';
import { readMembers, rewriteMembers } from './json-members.ts';
import { entriesOf } from './json-walk.ts';
import type { MemberSpan } from './protocol.ts';

const openBrace = 0x7b;
const openBracket = 0x5b;

/** One object in a list, and its bytes. */
export interface ListElement {
  readonly value: JsonObject;
  readonly bytes: Buffer;
  readonly members: readonly MemberSpan[];
}

/** The objects in a list that is a member of an object; undefined where there is no such list, or others are in it. */
export function readList(
  body: Buffer,
  members: readonly MemberSpan[],
  name: string,
): readonly ListElement[] | undefined {
  const member = members.find((it) => it.name === name);
  if (member === undefined) return undefined;
  if (body[member.valueStart] !== openBracket) return undefined;
  const elements: ListElement[] = [];
  for (const { start, end } of entriesOf(body, member.valueStart)) {
    if (body[start] !== openBrace) return undefined;
    const bytes = body.subarray(start, end);
    elements.push({ bytes, ...readMembers(bytes) });
  }
  return elements;
}

/** Gives the bytes of an element as they have to be, the very same where they are; undefined: it is left out. */
type ElementEdit = (element: ListElement) => Buffer | undefined;

/** A list with each of its elements edited; undefined where there is none, or nothing to change. */
export function editList(list: readonly ListElement[] | undefined, edit: ElementEdit): readonly Buffer[] | undefined {
  const edited = list?.map(edit);
  if (edited === undefined || edited.every((bytes, index) => bytes === list?.[index]?.bytes)) return undefined;
  return edited.filter((bytes) => bytes !== undefined);
}

/** The bytes of an object with another list as one of its members. */
export function withList({ bytes, members }: ListElement, name: string, list: readonly Buffer[]): Buffer {
  return rewriteMembers(bytes, members, { set: new Map([[name, writeList(list)]]), remove: new Set() });
}

/** A list of these, as JSON text. */
export function writeList(elements: readonly Buffer[]): string {
  return `[${elements.map((element) => element.toString('utf8')).join(',')}]`;
}
