// What has to be changed in a client's own body: what a host of Claude's wants said elsewhere, and thinking that is not
// Claude's. Nothing is parsed where there is nothing to change.

import { type ListElement, readList, writeList } from '../json-list.ts';
import { rewriteMembers } from '../json-members.ts';
import type { JsonObject } from '../openai/wire.ts';
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

/** The messages as they have to be; undefined if they are. Those that stay keep their bytes. */
function withoutForeignThinking(body: Buffer, { members }: Peek): string | undefined {
  const messages = readList(body, members, 'messages');
  const kept = messages?.map(withoutForeign);
  if (messages === undefined || kept === undefined) return undefined;
  if (kept.every((bytes, index) => bytes === messages[index]?.bytes)) return undefined;
  return writeList(kept.filter((bytes) => bytes !== undefined));
}

/** A turn of nothing but thinking has nothing left, and would be refused for it. */
function withoutForeign({ value, bytes, members }: ListElement): Buffer | undefined {
  if (value['role'] !== 'assistant') return bytes;
  const blocks = readList(bytes, members, 'content');
  const kept = blocks?.filter((block) => !isForeignThinking(block.value));
  if (kept === undefined || kept.length === blocks?.length) return bytes;
  if (kept.length === 0) return undefined;
  const set = new Map([['content', writeList(kept.map((block) => block.bytes))]]);
  return rewriteMembers(bytes, members, { set, remove: new Set() });
}

function isForeignThinking({ type, signature }: JsonObject): boolean {
  if (type !== 'thinking') return false;
  return typeof signature !== 'string' || !isClaudeSignature(signature);
}
