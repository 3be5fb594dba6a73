// What has to be changed in a client's own body: what a host of Claude's wants said elsewhere, and thinking that is not
// Claude's. Nothing is parsed where there is nothing to change.

import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { Edits, Peek, RequestEdit } from '../protocol.ts';
import { anthropicDialects, type AnthropicDialectName, hostEdits } from './dialect.ts';
import { isClaudeSignature } from './thinking-signature.ts';

/** The changes to a request for a message. Throws on a dialect that nobody knows. */
export function messagesEdit(dialect: string = 'anthropic' satisfies AnthropicDialectName): RequestEdit {
  return createEdit(hostEdits(dialectOf(dialect)));
}

/** The same for counting tokens, where every host has the model named in the body. */
export function countTokensEdit(dialect: string = 'anthropic' satisfies AnthropicDialectName): RequestEdit {
  const { set } = hostEdits(dialectOf(dialect));
  return createEdit({ set, remove: new Set() });
}

function dialectOf(name: string): (typeof anthropicDialects)[AnthropicDialectName] {
  if (Object.hasOwn(anthropicDialects, name)) return anthropicDialects[name as AnthropicDialectName];
  throw new Error(`messages have no dialect ${name}`);
}

function createEdit(ofHost: Edits): RequestEdit {
  const always = ofHost.set.size + ofHost.remove.size === 0 ? undefined : ofHost;
  return (body, peek) => {
    const messages = hasForeignSignature(body) ? withoutForeignThinking(body, peek) : undefined;
    if (messages === undefined) return always;
    return { set: new Map(ofHost.set).set('messages', messages), remove: ofHost.remove };
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

/** The messages as they have to be; undefined if they are. */
function withoutForeignThinking(body: Buffer, { members }: Peek): string | undefined {
  const member = members.find((candidate) => candidate.name === 'messages');
  const messages = member && parseJson(body.toString('utf8', member.valueStart, member.valueEnd));
  if (!Array.isArray(messages)) return undefined;
  const edited = messages.map((message: unknown) => (isJsonObject(message) ? withoutForeign(message) : message));
  if (edited.every((message, index) => message === messages[index])) return undefined;
  // A turn of nothing but thinking has nothing left, and would be refused for it.
  return JSON.stringify(edited.filter((message) => message !== undefined));
}

function withoutForeign(message: JsonObject): JsonObject | undefined {
  const { role, content } = message;
  if (role !== 'assistant' || !Array.isArray(content)) return message;
  const kept = content.filter((block: unknown) => !isForeignThinking(block));
  if (kept.length === content.length) return message;
  return kept.length === 0 ? undefined : { ...message, content: kept };
}

function isForeignThinking(block: unknown): boolean {
  if (!isJsonObject(block) || block['type'] !== 'thinking') return false;
  const { signature } = block;
  return typeof signature !== 'string' || !isClaudeSignature(signature);
}
