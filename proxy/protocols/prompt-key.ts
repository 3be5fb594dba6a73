// What requests have in common whose prompts begin alike, as a number: for balancing that keeps prompt caches warm. Looks
// at the beginning of a prompt only, in the shape of any client protocol; what has no prompt has no key.

import { crc32 } from 'node:zlib';
import { entriesOf } from './json-walk.ts';
import type { MemberSpan, Peek } from './protocol.ts';

/** What must be alike: a whole conversation's beginning, or the beginning of the prompt. */
export type PromptScope = 'Conversation' | 'Prefix';

/** About the 256 tokens from which on vendors cache: prompts of one application begin with as much in common. */
const prefixChars = 1024;

/** Longer pieces are not parsed: a picture is as good a key by its bytes. */
const pieceBytesMax = 64 * 1024;

/** Members that a conversation is told by, where the client gives one; the first that is there counts. */
const namedBy = ['prompt_cache_key', 'conversation', 'conversation_id', 'session_id'];

/** Members that prompts are made of, in the order in which models read them. */
const promptMembers = ['system', 'instructions', 'messages', 'input', 'prompt'];

/** The key of a request, 32 bits; undefined where nothing of its body is a prompt. */
export function promptKey(body: Buffer, { members }: Peek, scope: PromptScope): number | undefined {
  const spans = new Map(members.map((member) => [member.name, member]));
  if (scope === 'Conversation') {
    for (const name of namedBy) {
      const value = bytesOf(body, spans.get(name));
      if (value !== undefined) return crc32(value);
    }
  }
  let key: number | undefined;
  let left = prefixChars;
  for (const { text, isClients } of piecesOf(body, spans)) {
    // Turns are added at the end: what comes before the client's first answer stays the same.
    const taken = scope === 'Conversation' ? text : text.slice(0, left);
    left -= taken.length;
    key = crc32(taken, key ?? 0);
    if (scope === 'Conversation' ? isClients : left <= 0) return key;
  }
  return key;
}

/** A value by which something may be called: null and an empty text are none. */
function bytesOf(body: Buffer, span: MemberSpan | undefined): Buffer | undefined {
  if (span === undefined) return undefined;
  const { valueStart, valueEnd } = span;
  const says = body[valueStart] === quote ? valueEnd - valueStart > 2 : body[valueStart] !== letterN;
  return says ? body.subarray(valueStart, valueEnd) : undefined;
}

const quote = 0x22;
const letterN = 0x6e;

interface Piece {
  readonly text: string;
  /** Whether the client says it, as opposed to its instructions. */
  readonly isClients: boolean;
}

function* piecesOf(body: Buffer, spans: ReadonlyMap<string, MemberSpan>): Generator<Piece> {
  for (const name of promptMembers) {
    const span = spans.get(name);
    if (span === undefined) continue;
    const isTurns = name === 'messages' || name === 'input';
    if (!isTurns || body[span.valueStart] !== openBracket) {
      yield { text: textAt(body, span.valueStart, span.valueEnd), isClients: isTurns || name === 'prompt' };
      continue;
    }
    for (const { start, end } of entriesOf(body, span.valueStart)) {
      if (end - start > pieceBytesMax) yield { text: String(crc32(body.subarray(start, end))), isClients: true };
      else yield toPiece(parse(body, start, end));
    }
  }
}

const openBracket = 0x5b;

function toPiece(turn: unknown): Piece {
  const role: unknown = typeof turn === 'object' && turn !== null ? Reflect.get(turn, 'role') : 'user';
  return { text: textOf(turn), isClients: role === 'user' };
}

function textAt(body: Buffer, start: number, end: number): string {
  return end - start > pieceBytesMax ? String(crc32(body.subarray(start, end))) : textOf(parse(body, start, end));
}

function parse(body: Buffer, start: number, end: number): unknown {
  return JSON.parse(body.toString('utf8', start, end));
}

/**
 * The text of a message or of a part of one. Clients mark the last turn of a conversation for caching, and write its
 * text once as a text and once as a list with one entry: none of it may move the conversation elsewhere.
 */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).join('');
  if (typeof value !== 'object' || value === null) return '';
  const text: unknown = Reflect.get(value, 'text') ?? Reflect.get(value, 'content');
  if (text !== undefined) return textOf(text);
  return JSON.stringify(value, (name, member: unknown) => (name === 'cache_control' ? undefined : member));
}

/** Members that bound an answer, by any protocol. */
const limits = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'];

/** Most tokens of an answer that a client asks for; undefined where it does not say. */
export function outputTokensMax(body: Buffer, { members }: Peek): number | undefined {
  for (const { name, valueStart, valueEnd } of members) {
    let count: number | undefined;
    if (limits.includes(name)) count = toCount(Number(body.toString('latin1', valueStart, valueEnd)));
    else if (name === 'options' && valueEnd - valueStart <= pieceBytesMax) {
      const options = parse(body, valueStart, valueEnd);
      if (typeof options === 'object' && options !== null) count = toCount(Number(Reflect.get(options, 'num_predict')));
    }
    if (count !== undefined) return count;
  }
  return undefined;
}

function toCount(value: number): number | undefined {
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
