// Ids of tool calls. Anthropic takes only some characters, and Bedrock only so many; other vendors' ids have both.

import { createHash } from 'node:crypto';

const legal = /^[\w-]{1,64}$/;

/** What is kept of an id so that a person recognises it. */
const prefixChars = 24;

/**
 * A legal id for any other: the id itself if it is one, else always the same one, and no other id's. Calls and results
 * are told apart by nothing else, and no memory of what was changed is needed.
 */
export function toolId(id: string): string {
  if (legal.test(id)) return id;
  const prefix = id.replaceAll(/[^\w-]/g, '_').slice(0, prefixChars);
  const digest = createHash('sha256').update(id).digest('base64url').slice(0, 24);
  return `${prefix === '' ? 'call' : prefix}_${digest}`;
}
