// What bytes are, by what they begin with: whoever says so is often mistaken.

import { isUtf8 } from 'node:buffer';

type Signature = readonly [mediaType: string, ...marks: (readonly [at: number, text: string])[]];

/** What each kind of picture begins with, by offset. https://en.wikipedia.org/wiki/List_of_file_signatures */
const images: readonly Signature[] = [
  ['image/png', [0, '\x89PNG\r\n\x1a\n']],
  ['image/jpeg', [0, '\xff\xd8\xff']],
  ['image/gif', [0, 'GIF8']],
  ['image/webp', [0, 'RIFF'], [8, 'WEBP']],
];

/** The same of documents. What the two containers hold only their type says. */
const documents: readonly Signature[] = [['application/pdf', [0, '%PDF-']]];
const zip = 'PK\x03\x04';
const compoundFile = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1';

/** Documents in a container, by their type. */
const containers: { readonly [mediaType: string]: string } = {
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': zip,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': zip,
  'application/msword': compoundFile,
  'application/vnd.ms-excel': compoundFile,
};

/** Types of what is text, whatever else it is. */
const textTypes = /^text\/[\w.+-]+$|^application\/(?:[\w.-]+\+)?(?:json|xml|yaml)$/;

/** Bytes that hold the longest mark. */
const markBytes = 16;

/** The type of a picture; undefined where the bytes are none that models look at. */
export function sniffImage(bytes: Buffer): string | undefined {
  return typeBy(images, startOf(bytes));
}

/**
 * The type of a picture or document. `declared` is what its server says: believed only of what has no signature, and
 * only where nothing speaks against it. Undefined: the bytes are nothing that models read, or not what they are said to
 * be.
 */
export function mediaTypeOf(bytes: Buffer, declared: string): string | undefined {
  const start = startOf(bytes);
  const found = typeBy(images, start) ?? typeBy(documents, start);
  if (found !== undefined) return found;
  const type = declared.replace(/;.*/s, '').trim().toLowerCase();
  const container = Object.hasOwn(containers, type) ? containers[type] : undefined;
  if (container !== undefined) return start.startsWith(container) ? type : undefined;
  if (!textTypes.test(type) || !isUtf8(bytes) || bytes.includes(0)) return undefined;
  return type.startsWith('text/') ? type : 'text/plain';
}

function startOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, markBytes);
}

function typeBy(signatures: readonly Signature[], start: string): string | undefined {
  return signatures.find(([, ...marks]) => marks.every(([at, text]) => start.startsWith(text, at)))?.[0];
}
