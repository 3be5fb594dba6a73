// What a message or a delta says, in order, whatever the vendor's spelling of it.

import type { Metadata } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { chat } from './wire.ts';

/** A piece of text of one kind. */
export interface TextPiece {
  readonly type: 'thinking' | 'text' | 'refusal';
  readonly text: string;
  readonly metadata?: Metadata;
}

/** Reads the text in a message or delta: thinking first, as models write it. Empty pieces are left out. */
export function textPieces(message: JsonObject): readonly TextPiece[] {
  const thinking = firstText(message['reasoning_content'], message['reasoning']);
  const details = message['reasoning_details'];
  // OpenRouter's details carry signatures and encrypted thinking beside, or instead of, the text.
  const hasDetails = Array.isArray(details) && details.length > 0;
  const metadata = hasDetails ? { metadata: { [chat]: { reasoning_details: details } } } : {};
  const pieces: readonly TextPiece[] = [
    ...(thinking !== '' || hasDetails ? [{ type: 'thinking', text: thinking, ...metadata } as const] : []),
    ...contentPieces(message['content']),
    { type: 'refusal', text: firstText(message['refusal']) },
  ];
  return pieces.filter((piece) => piece.text !== '' || piece.metadata !== undefined);
}

/** Mistral writes content as a list of thinking and text. */
function contentPieces(content: unknown): readonly TextPiece[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isJsonObject).map((part): TextPiece => {
    if (part['type'] !== 'thinking') return { type: 'text', text: firstText(part['text']) };
    const inner = Array.isArray(part['thinking']) ? part['thinking'].filter(isJsonObject) : [];
    return { type: 'thinking', text: inner.map((piece) => firstText(piece['text'])).join('') };
  });
}

function firstText(...values: readonly unknown[]): string {
  return values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
}

/** What may stand beside the text of a delta; `images` are OpenRouter's. */
const beside = ['annotations', 'audio', 'images'] as const;

/** The members of a delta that say something beside its text; undefined if none does. */
export function besideText(delta: JsonObject): JsonObject | undefined {
  let said: JsonObject | undefined;
  for (const name of beside) {
    const value = delta[name];
    if (Array.isArray(value) ? value.length > 0 : isJsonObject(value)) said = { ...said, [name]: value };
  }
  return said;
}

/** A call of a tool, or a part of one. */
export interface CallPiece {
  readonly index: number | undefined;
  readonly id: string;
  readonly tool: string;
  readonly input: string;
  readonly rest: JsonObject;
}

/** Reads the calls in a message or delta. */
export function callPieces(message: JsonObject): readonly CallPiece[] {
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isJsonObject) : [];
  const old = isJsonObject(message['function_call']) ? [{ index: 0, function: message['function_call'] }] : [];
  return [...calls, ...old].map((call: JsonObject) => {
    const { index, id, type: _, function: inner, ...rest } = call;
    const { name, arguments: input } = isJsonObject(inner) ? inner : {};
    return {
      index: typeof index === 'number' ? index : undefined,
      id: firstText(id),
      tool: firstText(name),
      input: toInput(input),
      rest,
    };
  });
}

/** Arguments are text; Mistral and others also send the object itself. */
function toInput(input: unknown): string {
  if (typeof input === 'string') return input;
  return input === undefined || input === null ? '' : JSON.stringify(input);
}

/** Whether arguments are whole: none at all, or JSON. */
export function isWholeInput(input: string): boolean {
  if (input.trim() === '') return true;
  try {
    JSON.parse(input);
    return true;
  } catch {
    return false;
  }
}
