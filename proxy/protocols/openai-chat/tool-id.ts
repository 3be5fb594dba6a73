// Ids of tool calls as a server accepts them. What is rewritten becomes the same each time, in the call and its result.

import { createHash } from 'node:crypto';

import type { ChatDialect } from './dialect.ts';

/** Some hosts refuse longer ones. */
const idCharsMax = 40;

/** Mistral's: letters and digits, exactly so many. */
const shortId = /^[a-z0-9]{9}$/i;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Writes an id. */
export function toolId(id: string, { shortToolIds }: ChatDialect): string {
  if (shortToolIds === true) return shortId.test(id) ? id : shorten(id);
  return id.length <= idCharsMax ? id : `call_${digest(id).toString('base64url').slice(0, 32)}`;
}

/** 62⁹ is 53 bits: two of the ids of a conversation will not meet. */
function shorten(id: string): string {
  const bytes = digest(id);
  return Array.from({ length: 9 }, (_, index) => alphabet[bytes.readUInt16BE(index * 2) % alphabet.length]).join('');
}

function digest(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}
