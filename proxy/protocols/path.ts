// The request path, read once. Every decision (who may enter, which route, which operation) is made on these segments,
// and what is forwarded is made from them, so that no two of them can see different paths (CVE-2026-49468 was that).

import { ClientError } from '../canonical/client-error.ts';

/** Longest path: real ones have five segments of model or deployment names. */
const pathCharsMax = 2048;

/**
 * Cuts a raw path into its segments, decoding nothing. A trailing slash counts for nothing; `/` has no segments. Throws
 * ClientError `invalid_path` for everything that another reader might understand differently.
 */
export function parsePath(raw: string): readonly string[] {
  if (!raw.startsWith('/') || raw.length > pathCharsMax) throw new ClientError('invalid_path');
  const segments = raw.slice(1).split('/');
  if (segments.at(-1) === '') segments.pop();
  for (const [index, segment] of segments.entries()) {
    if (!isSafe(segment, segments[index - 1] === 'models')) throw new ClientError('invalid_path');
  }
  return segments;
}

/**
 * Letters, digits and what RFC 3986 allows in a segment, but no `;`: some servers cut a segment there. Of escapes only
 * those that have to be escapes: `%63hat` is `chat` to an upstream and something else here, `%2f`, `%2e` and `%5c` are
 * `/`, `.` and `\` to some, and so are `%252f` and `%c0%af` to those that decode twice or carelessly.
 */
function isSafe(segment: string, isModel: boolean): boolean {
  if (segment === '' || segment === '.' || segment === '..') return false;
  if (!/^(?:[\w.~!$&'()*+,=:@-]|%[\da-f]{2})+$/i.test(segment)) return false;
  if (!segment.includes('%')) return true;
  // The id of a model is one segment and decides nothing about the route: it may hold an encoded slash.
  return isModel ? modelId(segment) !== undefined : !unsafeEscape.test(segment) && decode(segment) !== undefined;
}

/** Control characters, `.`, `/`, `;`, `\`, what RFC 3986 calls unreserved, and an escape that is escaped. */
const unsafeEscape = /%(?:[01][\da-f]|7f|2[def]|3[\db]|4[1-9a-f]|5[\dacf]|6[1-9a-f]|7[\dae]|25[\da-f]{2})/i;

/** Decodes the id of a model; undefined if it is not one that could be meant. */
export function modelId(segment: string): string | undefined {
  const id = decode(segment);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const odd = /[\u0000-\u001f\u007f\\]|%[\da-f]{2}|(?:^|\/)\.{0,2}(?:\/|$)/i;
  return id === undefined || odd.test(id) ? undefined : id;
}

/** Undefined for what is not UTF-8. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
