// What a vendor wants back with its thinking, in the one member that clients of this protocol carry unharmed:
// `encrypted_content`, of which they know that they cannot read it.

import type { Block } from '../../canonical/block.ts';
import { isJsonObject, parseJson } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { responses } from './wire.ts';

/** What OpenAI encrypts never begins so. */
const prefix = 'sluice:';

/** What is given back to the vendor: the signature of thinking that can be read, or thinking that cannot. */
export interface Carried {
  readonly signature?: string;
  readonly redacted?: string;
}

/** Puts it into `encrypted_content`; undefined if there is nothing. */
export function carry({ signature = '', redacted = '' }: Carried): string | undefined {
  if (signature === '' && redacted === '') return undefined;
  const content = redacted === '' ? { signature } : { redacted };
  return prefix + Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** The block that an item of reasoning was. What OpenAI encrypted is kept for OpenAI, and nobody else's. */
export function toThinking(text: string, encrypted: string | undefined): Block {
  if (encrypted === undefined) return { type: 'thinking', text };
  const { signature, redacted } = open(encrypted) ?? {};
  if (redacted !== undefined) return { type: 'redacted-thinking', data: redacted };
  if (signature !== undefined) return { type: 'thinking', text, signature };
  return { type: 'thinking', text, metadata: { [responses]: { encrypted_content: encrypted } } };
}

function open(encrypted: string): Carried | undefined {
  if (!encrypted.startsWith(prefix)) return undefined;
  const content = parseJson(Buffer.from(encrypted.slice(prefix.length), 'base64url').toString('utf8'));
  if (!isJsonObject(content)) return undefined;
  const { signature, redacted } = content;
  return withDefined({
    signature: typeof signature === 'string' ? signature : undefined,
    redacted: typeof redacted === 'string' ? redacted : undefined,
  });
}
