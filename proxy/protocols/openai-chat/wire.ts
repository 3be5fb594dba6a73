// What chat completions look like on the wire, as far as Sluice reads them.
// https://platform.openai.com/docs/api-reference/chat

import type { Metadata } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';

/** Members of a message or delta that are text. `reasoning` and `reasoning_content` are vendors' additions. */
const textMembers = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const;
/** Members that are lists of pieces; `images` and `reasoning_details` are OpenRouter's. */
const listMembers = ['content', 'tool_calls', 'reasoning_details', 'images'] as const;
const objectMembers = ['function_call', 'audio'] as const;

/** Whether a choice carries something that a client waits for: in its delta, or in its message if the answer is whole. */
export function hasContent(choice: JsonObject): boolean {
  // Azure's asynchronous filter sends choices that have neither.
  const piece = choice['delta'] ?? choice['message'];
  if (!isJsonObject(piece)) return false;
  return (
    textMembers.some((name) => typeof piece[name] === 'string' && piece[name] !== '') ||
    listMembers.some((name) => Array.isArray(piece[name]) && piece[name].length > 0) ||
    objectMembers.some((name) => isJsonObject(piece[name]))
  );
}

/** The name under which canonical metadata keeps what only this protocol knows. */
export const chat = 'openai-chat';

/** The members that have a value: what is absent in one model is absent in the other. */
export function withDefined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** What canonical metadata keeps for this protocol. */
export function kept(of: { readonly metadata?: Metadata }): JsonObject {
  return of.metadata?.[chat] ?? {};
}

/** An id for a call whose upstream gave it none: the same each time it is made, and no other call's in a conversation. */
export function callId(answerId: string, index: number): string {
  return `call_${answerId.replaceAll(/[^\w-]/g, '').slice(-24)}_${index}`;
}

/** Members of an answer, whole or in chunks, that have a counterpart in the canonical model. */
export const answerMembers: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'choices', 'usage']);

/** The members of an object that are not among these. */
export function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}
