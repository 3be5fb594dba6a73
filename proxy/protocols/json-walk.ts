// Walks over the bytes of a JSON object to find where its top-level members are. Strings are skipped, not read; validity
// is not its business.

import { ClientError } from '../canonical/client-error.ts';

/** Deeper nesting is an attack or a mistake: no tool schema in the wild comes near it. */
const depthMax = 64;

/**
 * Members, objects and lists in the whole body: JSON.parse interns the name of each member and makes an object for each
 * of the others, and a million of them stall the process for a second. Numbers and strings are ten times cheaper.
 */
const partsMax = 100_000;

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

/** What a body may still have. */
interface Budget {
  parts: number;
}

/** Where a member is, before its name is known. */
export interface Place {
  readonly start: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Finds the members of the object that is the body: exact for valid JSON, harmless for anything else. Throws ClientError
 * where the body nests too deep or has too many parts.
 */
export function walk(body: Buffer): Place[] {
  const places: Place[] = [];
  const open = skipSpace(body, hasByteOrderMark(body) ? 3 : 0);
  const budget = { parts: partsMax };
  // No object, and refused after JSON.parse, which must not be given any list either.
  if (body[open] === openBracket) skipNested(body, open, budget);
  if (body[open] !== openBrace) return places;
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

/** The entries of the list that opens at `from`, one by one: whoever has seen enough need not walk to its end. */
export function* entriesOf(body: Buffer, from: number): Generator<{ readonly start: number; readonly end: number }> {
  if (body[from] !== openBracket) return;
  const budget = { parts: partsMax };
  let start = skipSpace(body, from + 1);
  while (start < body.length && body[start] !== closeBracket) {
    const end = skipValue(body, start, budget);
    if (end === start) return;
    yield { start, end };
    const next = skipSpace(body, end);
    if (body[next] !== comma) return;
    start = skipSpace(body, next + 1);
  }
}

function spend(budget: Budget): void {
  if (--budget.parts < 0) {
    const message = `The request body has more than ${partsMax} members, objects and lists.`;
    throw new ClientError('invalid_request', { message });
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at]! <= space) at++;
  return at;
}

function skipValue(body: Buffer, from: number, budget: Budget): number {
  const first = body[from];
  if (first === quote) return stringEnd(body, from);
  if (first === openBrace || first === openBracket) return skipNested(body, from, budget);
  let at = from;
  for (; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= space) break;
  }
  return at;
}

function skipNested(body: Buffer, from: number, budget: Budget): number {
  // The body itself is the first level.
  let depth = 1;
  for (let at = from; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === quote) {
      at = stringEnd(body, at) - 1;
    } else if (byte === openBrace || byte === openBracket) {
      spend(budget);
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

/** Whether a body begins with the mark that RFC 8259 allows a reader to ignore. */
export function hasByteOrderMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}
