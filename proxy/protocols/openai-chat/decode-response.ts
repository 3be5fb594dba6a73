// Chat completions answer → canonical response.

import type { Block } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { CanonicalResponse } from '../../canonical/response.ts';
import { readWholeChoices } from '../openai/choices.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { DecodedResponse } from '../protocol.ts';
import { decodeFinish } from './finish.ts';
import { type CallPiece, callPieces, isWholeInput, textPieces } from './pieces.ts';
import { answerMembers, callId, chat, hasContent, withDefined, without } from './wire.ts';

/** Reads an answer, judging it exactly as the pass-through lane does. */
export function decodeResponse(body: Buffer, fallbackId: string, headers: SignalHeaders = {}): DecodedResponse {
  const { json, usage, signal, empty } = readJsonAnswer(body, headers, (read) => readWholeChoices(read, hasContent));
  if (json === undefined || signal !== undefined) {
    const missing = { type: 'invalid', detail: 'the answer has no body', body: '', headers } as const;
    return { type: 'invalid', signal: signal ?? missing };
  }
  const { id, created, model } = json;
  const choice = firstChoice(json['choices']);
  const message = isJsonObject(choice['message']) ? choice['message'] : {};
  const answerId = typeof id === 'string' && id !== '' ? id : fallbackId;
  const calls = callPieces(message);
  const finish = decodeFinish(choice, calls.length > 0);
  if (finish.reason !== 'length' && !calls.every((call) => isWholeInput(call.input))) {
    const detail = 'the answer has a tool call whose arguments are not JSON';
    return { type: 'invalid', signal: { type: 'invalid', detail, body: '', headers } };
  }
  const response: CanonicalResponse = {
    id: answerId,
    model: typeof model === 'string' ? model : '',
    content: [...textPieces(message), ...calls.map((call, index) => toBlock(call, answerId, index))],
    finish: finish.reason,
    metadata: { [chat]: { ...without(json, answerMembers), ...ownMembers(choice, message) } },
    ...withDefined({
      createdAt: typeof created === 'number' ? created : undefined,
      stopSequence: finish.stopSequence,
      usage,
    }),
  };
  return { type: 'response', response, empty };
}

/** Several choices cannot be said in the canonical model; a request for several is never sent this way. */
function firstChoice(choices: unknown): JsonObject {
  const list = Array.isArray(choices) ? choices.filter(isJsonObject) : [];
  return list.find((choice) => (choice['index'] ?? 0) === 0) ?? list[0] ?? {};
}

function toBlock({ id, tool, input, rest }: CallPiece, answerId: string, index: number): Block {
  const metadata = Object.keys(rest).length > 0 ? { metadata: { [chat]: rest } } : {};
  return { type: 'tool-call', id: id === '' ? callId(answerId, index) : id, tool, input, ...metadata };
}

const choiceMembers = new Set(['index', 'message', 'finish_reason', 'stop_reason']);
const messageMembers = new Set([
  'role',
  'content',
  'refusal',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'tool_calls',
  'function_call',
]);

/** What a choice and its message have beside what became blocks: log probabilities, annotations, audio. */
function ownMembers(choice: JsonObject, message: JsonObject): JsonObject {
  return withDefined({ choice: nonEmpty(choice, choiceMembers), message: nonEmpty(message, messageMembers) });
}

function nonEmpty(members: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  const own = without(members, known);
  return Object.values(own).some((value) => value !== null) ? own : undefined;
}
