// Calls of tools in answers: whole, with arguments that are an object, and in newer servers with an id.

import { type JsonObject, isJsonObject, parseJson } from '../../openai/wire.ts';
import { callId } from '../../openai-chat/wire.ts';

/** A call as the canonical model has it. */
export interface Call {
  readonly id: string;
  readonly tool: string;
  readonly input: string;
}

/** Reads a call, the one at this place among all calls of the answer; undefined if it is none. */
export function decodeCall(call: JsonObject, answerId: string, place: number): Call | undefined {
  const inner = call['function'];
  if (!isJsonObject(inner)) return undefined;
  const { name, arguments: input } = inner;
  const { id } = call;
  if (typeof name !== 'string' || name === '') return undefined;
  const text = toInput(input);
  const ownId = typeof id === 'string' && id !== '' ? id : callId(answerId, place);
  return text === undefined ? undefined : { id: ownId, tool: name, input: text };
}

/** Servers that only resemble this one send the text that other protocols have. */
function toInput(value: unknown): string | undefined {
  if (typeof value !== 'string') return JSON.stringify(value ?? {});
  if (value.trim() === '') return '{}';
  return parseJson(value) === undefined ? undefined : value;
}
