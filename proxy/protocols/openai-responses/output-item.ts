// Items of an answer's output, whole and as they begin. Ids are made of the answer's: no two items of a conversation have
// the same.

import type { JsonObject } from '../openai/wire.ts';

/** What an item is, as its id says. */
export type ItemKind = 'msg' | 'rs' | 'fc';

/** OpenAI takes ids of 64 characters; what goes before and after this takes up to 12. */
const baseCharsMax = 48;

/** Whether an item is whole: one that is not was cut with the answer. */
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** The id of an item. */
export function itemId(kind: ItemKind, responseId: string, index: number): string {
  return `${kind}_${responseId.replace(/^resp_/, '').slice(-baseCharsMax)}_${index}`;
}

/** A piece of a message: text, or the model's refusal. */
export type Part =
  | { readonly type: 'text'; readonly text: string; readonly logprobs: readonly unknown[] }
  | { readonly type: 'refusal'; readonly text: string };

/** Writes a piece of a message. */
export function encodePart(part: Part): JsonObject {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text };
  return { type: 'output_text', text: part.text, annotations: [], logprobs: part.logprobs };
}

/** Writes a message. */
export function messageItem(id: string, parts: readonly Part[], status: ItemStatus): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content: parts.map(encodePart) };
}

/** Writes thinking: there is a summary if there is anything to read. */
export function reasoningItem(id: string, text: string, encrypted?: string): JsonObject {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return { id, type: 'reasoning', summary, ...(encrypted !== undefined && { encrypted_content: encrypted }) };
}

/** A call of a tool. */
export interface Call {
  readonly id: string;
  readonly tool: string;
  readonly input: string;
}

/** Writes a call. Clients parse the arguments: a tool without any is called with an empty object. */
export function callItem(id: string, call: Call, status: ItemStatus): JsonObject {
  const input = status === 'completed' && call.input.trim() === '' ? '{}' : call.input;
  return { id, type: 'function_call', status, arguments: input, call_id: call.id, name: call.tool };
}
