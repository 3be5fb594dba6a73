// What has to be changed in a client's own body: what a host of Claude's wants said elsewhere, and thinking that is not
// Claude's. Nothing is parsed where there is nothing to change.

import { mergeEdits } from '../edits.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { BodyEdit, Edits } from '../protocol.ts';
import { anthropicDialects, type AnthropicDialectName, hostEdits } from './dialect.ts';
import { messagesWithout } from './messages-without.ts';
import { isClaudeSignature } from './thinking-signature.ts';

/** The changes to a request for a message. Throws on a dialect that nobody knows. */
export function messagesEdit(dialect: string = 'anthropic' satisfies AnthropicDialectName): BodyEdit {
  return createEdit(hostEdits(dialectOf(dialect)));
}

/** The same for counting tokens, where every host has the model named in the body. */
export function countTokensEdit(dialect: string = 'anthropic' satisfies AnthropicDialectName): BodyEdit {
  const { set } = hostEdits(dialectOf(dialect));
  return createEdit({ set, remove: new Set() });
}

function dialectOf(name: string): (typeof anthropicDialects)[AnthropicDialectName] {
  if (Object.hasOwn(anthropicDialects, name)) return anthropicDialects[name as AnthropicDialectName];
  throw new Error(`messages have no dialect ${name}`);
}

function createEdit(ofHost: Edits): BodyEdit {
  const always = ofHost.set.size + ofHost.remove.size > 0;
  return ({ body, members, edits }) => {
    const hosted = always ? mergeEdits(ofHost, edits) : edits;
    return hasForeignSignature(body) ? messagesWithout({ body, members, edits: hosted }, isForeignThinking) : hosted;
  };
}

const name = '"signature"';

/** Whether anything in the body is signed by nobody, or not by Claude. Most bodies do not even have the word. */
function hasForeignSignature(body: Buffer): boolean {
  for (let at = body.indexOf(name); at !== -1; at = body.indexOf(name, at + 1)) {
    const start = skip(body, at + name.length);
    if (body[start] !== quote) continue;
    const end = body.indexOf(quote, start + 1);
    if (end !== -1 && !isClaudeSignature(body.toString('latin1', start + 1, end))) return true;
  }
  return false;
}

const quote = 0x22;
const colon = 0x3a;
const space = 0x20;

/** The first byte of a value behind its name. */
function skip(body: Buffer, from: number): number {
  let at = from;
  while ((body[at] ?? quote) <= space || body[at] === colon) at++;
  return at;
}

function isForeignThinking({ type, signature }: JsonObject): boolean {
  if (type !== 'thinking') return false;
  return typeof signature !== 'string' || !isClaudeSignature(signature);
}
