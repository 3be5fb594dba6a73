// Reads a JSON request body as far as its top-level members, and edits those in the bytes: one walk over the bytes for
// the places, one native JSON.parse for validity. Knows JSON only, no protocol.

import { isAscii, isUtf8 } from 'node:buffer';

import { ClientError } from '../canonical/client-error.ts';
import type { Edits, MemberSpan } from './protocol.ts';

/** Deeper nesting is an attack or a mistake: no tool schema in the wild comes near it. */
const depthMax = 64;

/** Member names in the whole body: JSON.parse interns each one, and a million of them stall the process for a second. */
const namesMax = 100_000;

/** Up to here a plain loop finds the end of a string sooner than a native search would have begun. */
const nearBytes = 48;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const space = 0x20;

/** A JSON object: its values as parsed, and where its members are in the bytes. */
export interface JsonMembers {
  readonly value: { readonly [name: string]: unknown };
  readonly members: readonly MemberSpan[];
}

/** Reads a body that must be a JSON object without repeated members. Throws ClientError. */
export function readMembers(body: Buffer): JsonMembers {
  const start = skipSpace(body, hasByteOrderMark(body) ? 3 : 0);
  // The walk comes first because it bounds what JSON.parse is given. In bytes that are not JSON it finds nothing
  // sensible, which does no harm: JSON.parse refuses them right after.
  const places = body[start] === openBrace ? walk(body, start) : [];
  const value = parse(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ClientError('invalid_request', { message: 'The request body must be a JSON object.' });
  }
  return nameMembers(body, places, value as JsonMembers['value']);
}

/** Applies edits to a body that was read; gives back the very same buffer if they change nothing. */
export function rewriteMembers(body: Buffer, members: readonly MemberSpan[], edits: Edits): Buffer {
  const splices = planSplices(body, members, edits);
  if (splices.length === 0) return body;
  const pieces: Buffer[] = [];
  let copied = 0;
  for (const splice of splices) {
    pieces.push(body.subarray(copied, splice.from));
    if (splice.text !== '') pieces.push(Buffer.from(splice.text));
    copied = splice.to;
  }
  pieces.push(body.subarray(copied));
  return Buffer.concat(pieces);
}

/** Bytes that give way to a text. */
interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function planSplices(body: Buffer, members: readonly MemberSpan[], edits: Edits): Splice[] {
  const splices: Splice[] = [];
  const present = new Set<string>();
  let end = body.indexOf(openBrace) + 1;
  let kept = 0;
  for (const [position, member] of members.entries()) {
    present.add(member.name);
    const text = edits.set.get(member.name);
    if (edits.remove.has(member.name)) {
      // A comma goes with each removed member: the one before it where a member stays in front, else the one after.
      const from = kept > 0 ? end : member.start;
      const to = kept > 0 ? member.valueEnd : (members[position + 1]?.start ?? member.valueEnd);
      splices.push({ from, to, text: '' });
    } else {
      kept++;
      if (text !== undefined && text !== body.toString('utf8', member.valueStart, member.valueEnd)) {
        splices.push({ from: member.valueStart, to: member.valueEnd, text });
      }
    }
    end = member.valueEnd;
  }
  for (const [name, text] of edits.set) {
    if (present.has(name) || edits.remove.has(name)) continue;
    splices.push({ from: end, to: end, text: `${kept++ === 0 ? '' : ','}${JSON.stringify(name)}:${text}` });
  }
  return splices;
}

function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}

function parse(body: Buffer): unknown {
  const ascii = isAscii(body);
  if (!ascii && !isUtf8(body)) {
    throw new ClientError('invalid_json', { message: 'The request body is not valid UTF-8.' });
  }
  const from = hasByteOrderMark(body) ? 3 : 0;
  try {
    return JSON.parse(body.toString(ascii ? 'latin1' : 'utf8', from));
  } catch (cause) {
    // Only the position is taken over, and no cause: the engine's message quotes the body, and prompts must not
    // reach logs.
    const position = cause instanceof Error ? / at position (\d+)/.exec(cause.message)?.[1] : undefined;
    const message = `The request body is not valid JSON (at character ${position}).`;
    throw new ClientError('invalid_json', position === undefined ? {} : { message });
  }
}

/** Where a member is, before its name is known. */
interface Place {
  readonly start: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** Finds the members of the object that opens at `open`: exact for valid JSON, harmless for anything else. */
function walk(body: Buffer, open: number): Place[] {
  const places: Place[] = [];
  const budget = { names: namesMax };
  let at = skipSpace(body, open + 1);
  while (body[at] === quote) {
    const start = at;
    const nameEnd = stringEnd(body, start);
    const valueStart = skipSpace(body, skipSpace(body, nameEnd) + 1);
    const valueEnd = skipValue(body, valueStart, budget);
    places.push({ start, nameEnd, valueStart, valueEnd });
    spend(budget);
    at = skipSpace(body, valueEnd);
    if (body[at] !== comma) break;
    at = skipSpace(body, at + 1);
  }
  return places;
}

function spend(budget: { names: number }): void {
  if (--budget.names < 0) {
    throw new ClientError('invalid_request', { message: `The request body has more than ${namesMax} members.` });
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at]! <= space) at++;
  return at;
}

function skipValue(body: Buffer, from: number, budget: { names: number }): number {
  const first = body[from];
  if (first === quote) return stringEnd(body, from);
  if (first === openBrace || first === openBracket) return skipNested(body, from, budget);
  let at = from;
  for (; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === comma || byte === closeBrace || byte <= space) break;
  }
  return at;
}

function skipNested(body: Buffer, from: number, budget: { names: number }): number {
  // The body itself is the first level.
  let depth = 1;
  for (let at = from; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === quote) {
      at = stringEnd(body, at) - 1;
    } else if (byte === openBrace || byte === openBracket) {
      if (++depth > depthMax) {
        throw new ClientError('invalid_request', { message: `The request body nests deeper than ${depthMax} levels.` });
      }
    } else if (byte === closeBrace || byte === closeBracket) {
      if (--depth === 1) return at + 1;
    } else if (byte === colon) {
      spend(budget);
    }
  }
  return body.length;
}

/** The offset after the closing quote of the string that opens at `open`. */
function stringEnd(body: Buffer, open: number): number {
  let at = open + 1;
  for (;;) {
    const near = Math.min(at + nearBytes, body.length);
    while (at < near) {
      const byte = body[at]!;
      if (byte === quote) return at + 1;
      at += byte === backslash ? 2 : 1;
    }
    if (at >= body.length) return body.length;
    const found = body.indexOf(quote, at);
    if (found < 0) return body.length;
    if (!isEscaped(body, at, found)) return found + 1;
    // Where one quote is escaped, more are near: text that holds JSON would call the native search for each.
    at = found + 1;
  }
}

/** Whether an odd number of backslashes stands before `position`. `from` is outside any escape. */
function isEscaped(body: Buffer, from: number, position: number): boolean {
  let at = position;
  while (at > from && body[at - 1] === backslash) at--;
  return (position - at) % 2 === 1;
}

/** Puts the places and the parsed object together. Throws ClientError where a name is repeated, however it is written. */
function nameMembers(body: Buffer, places: readonly Place[], value: JsonMembers['value']): JsonMembers {
  const keys = Object.keys(value);
  // JSON.parse keeps the order of the names, except that it puts those that are array indexes first.
  const reordered = keys.length > 0 && keys[0]! >= '0' && keys[0]! < ':';
  // A name is as long as its bytes only if it is plain ASCII without an escape.
  const plain = places.every((place, index) => keys[index]?.length === place.nameEnd - place.start - 2);
  if (reordered || !plain || places.length !== keys.length) return nameOddMembers(body, places);
  const members = places.map(({ start, valueStart, valueEnd }, index) => ({
    name: keys[index]!,
    start,
    valueStart,
    valueEnd,
  }));
  return { value, members };
}

/**
 * The same without trusting the parsed object. V8 14.6 may give a name that is written with an escape the name of
 * another object's member (`{"x":1,"\\":2}` makes a later `{"x":1,"\u00e9":2}` have a member `\`): what decides who
 * may do what must not depend on what was parsed before. Values that stand alone are not affected.
 */
function nameOddMembers(body: Buffer, places: readonly Place[]): JsonMembers {
  const members = places.map(({ start, nameEnd, valueStart, valueEnd }) => {
    return { name: JSON.parse(body.toString('utf8', start, nameEnd)) as string, start, valueStart, valueEnd };
  });
  // A decision must not be made on one `model` while another one is forwarded.
  if (new Set(members.map((member) => member.name)).size !== members.length) {
    throw new ClientError('invalid_request', { message: 'The request body has a member that is repeated.' });
  }
  const entries = members.map((member): [string, unknown] => {
    return [member.name, JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd))];
  });
  return { value: Object.fromEntries(entries), members };
}
