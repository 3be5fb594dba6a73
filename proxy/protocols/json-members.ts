// Reads a JSON request body as far as its top-level members, and edits those in the bytes: one walk over the bytes for
// the places, one native JSON.parse for validity. Knows JSON only, no protocol.

import { isAscii, isUtf8 } from 'node:buffer';

import { ClientError } from '../canonical/client-error.ts';
import { hasByteOrderMark, type Place, walk } from './json-walk.ts';
import type { Edits, MemberSpan } from './protocol.ts';

/** A JSON object: its values as parsed, and where its members are in the bytes. */
export interface JsonMembers {
  readonly value: { readonly [name: string]: unknown };
  readonly members: readonly MemberSpan[];
}

/** Reads a body that must be a JSON object without repeated members. Throws ClientError. */
export function readMembers(body: Buffer): JsonMembers {
  // The walk comes first because it bounds what JSON.parse is given. In bytes that are not JSON it finds nothing
  // sensible, which does no harm: JSON.parse refuses them right after.
  const places = walk(body);
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
  let end = body.indexOf('{') + 1;
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
