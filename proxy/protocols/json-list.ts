// Takes elements out of lists inside a body; everything else keeps its bytes.

import type { JsonObject } from './openai/wire.ts';
import { readMembers } from './json-members.ts';
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

/** A list of these, as JSON text. */
export function writeList(elements: readonly Buffer[]): string {
  return `[${elements.map((element) => element.toString('utf8')).join(',')}]`;
}
