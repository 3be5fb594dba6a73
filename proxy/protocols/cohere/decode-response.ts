// Answer → canonical response.

import type { Block } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { CanonicalResponse } from '../../canonical/response.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { callId, withDefined, without } from '../openai-chat/wire.ts';
import type { DecodedResponse } from '../protocol.ts';
import { readWholeFacts } from './facts.ts';
import { decodeFinish } from './finish.ts';
import { cohere, objectOf, objectsOf, textOf, toInput } from './wire.ts';

/** Reads an answer. */
export function decodeResponse(body: Buffer, fallbackId: string, headers: SignalHeaders = {}): DecodedResponse {
  const { json, usage, signal, empty } = readJsonAnswer(body, headers, readWholeFacts);
  const invalid = (detail: string): DecodedResponse => {
    return { type: 'invalid', signal: { type: 'invalid', detail, body: '', headers } };
  };
  if (signal !== undefined) return { type: 'invalid', signal };
  if (json === undefined) return invalid('the answer has no body');
  const message = objectOf(json['message']);
  const id = textOf(json['id']) === '' ? fallbackId : textOf(json['id']);
  const calls = objectsOf(message['tool_calls']).map((call, place) => decodeCall(call, id, place));
  const finish = decodeFinish(textOf(json['finish_reason']), calls.length > 0);
  if (!calls.every(({ tool, input }) => tool !== '' && (finish === 'length' || isWhole(input)))) {
    return invalid('the answer has a tool call that is not whole');
  }
  const response: CanonicalResponse = {
    id,
    // Nobody says which model it was.
    model: '',
    content: [...decodeTexts(message), ...calls],
    finish,
    metadata: ownMembers({ ...without(json, answerMembers), ...without(message, messageMembers) }),
    ...withDefined({ usage }),
  };
  return { type: 'response', response, empty };
}

const answerMembers: ReadonlySet<string> = new Set(['id', 'finish_reason', 'message', 'usage']);
const messageMembers: ReadonlySet<string> = new Set(['role', 'content', 'tool_plan', 'tool_calls']);

type TextBlock = Extract<Block, { type: 'text' | 'thinking' }>;

/** What the model meant to do with tools is told apart from its thinking, and is the same to any other vendor. */
function decodeTexts(message: JsonObject): readonly TextBlock[] {
  const { content } = message;
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
  const said = parts.map((part: JsonObject): TextBlock => {
    if (part['type'] === 'thinking') return { type: 'thinking', text: textOf(part['thinking']) };
    return { type: 'text', text: textOf(part['text']) };
  });
  const plan: TextBlock = { type: 'thinking', text: textOf(message['tool_plan']) };
  return [...said, plan].filter(({ text }) => text !== '');
}

function decodeCall(call: JsonObject, answerId: string, place: number): Extract<Block, { type: 'tool-call' }> {
  const { name, arguments: input } = objectOf(call['function']);
  const id = textOf(call['id']);
  const text = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  return { type: 'tool-call', id: id === '' ? callId(answerId, place) : id, tool: textOf(name), input: toInput(text) };
}

/** Whether arguments are whole: a JSON object. */
export function isWhole(input: string): boolean {
  return isJsonObject(parseJson(input));
}

/** What nobody else knows, under this protocol's name: citations. */
export function ownMembers(members: JsonObject): { readonly [cohere]?: JsonObject } {
  return Object.keys(members).length > 0 ? { [cohere]: members } : {};
}
