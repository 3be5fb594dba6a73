// Chat answer → canonical response.

import type { Block } from '../../../canonical/block.ts';
import type { SignalHeaders } from '../../../canonical/failure.ts';
import { readJsonAnswer } from '../../openai/json-answer.ts';
import type { JsonObject } from '../../openai/wire.ts';
import { withDefined, without } from '../../openai-chat/wire.ts';
import type { DecodedResponse } from '../../protocol.ts';
import { readWholeFacts } from '../facts.ts';
import { decodeWholeLogprobs } from '../logprobs.ts';
import { ollama, readSaid } from '../wire.ts';
import { decodeCall } from './calls.ts';
import { decodeFinish } from './finish.ts';

/** Members of a line or answer that have a counterpart in the canonical model, or say nothing. */
const answerMembers: ReadonlySet<string> = new Set([
  'model',
  'created_at',
  'message',
  'response',
  'thinking',
  'tool_calls',
  'error',
  'done',
  'done_reason',
  'prompt_eval_count',
  'eval_count',
  'logprobs',
]);

/** Reads an answer, judging it exactly as the pass-through lane does. */
export function decodeResponse(body: Buffer, fallbackId: string, headers: SignalHeaders = {}): DecodedResponse {
  const { json, usage, signal, empty } = readJsonAnswer(body, headers, readWholeFacts);
  const invalid = (detail: string): DecodedResponse => {
    return { type: 'invalid', signal: { type: 'invalid', detail, body: '', headers } };
  };
  if (signal !== undefined) return { type: 'invalid', signal };
  if (json === undefined) return invalid('the answer has no body');
  const { thinking, text, calls: wireCalls } = readSaid(json);
  const calls = wireCalls.map((call, index) => decodeCall(call, fallbackId, index));
  if (!calls.every((call) => call !== undefined)) return invalid('the answer has a tool call that is not whole');
  const content: readonly Block[] = [
    ...(thinking === '' ? [] : [{ type: 'thinking', text: thinking } as const]),
    ...(text === '' ? [] : [{ type: 'text', text } as const]),
    ...calls.map((call) => ({ type: 'tool-call', ...call }) as const),
  ];
  const response = {
    id: fallbackId,
    model: modelOf(json),
    content,
    finish: decodeFinish(json, calls.length > 0),
    metadata: { ...ownMembers(json), ...decodeWholeLogprobs(json) },
    ...withDefined({ createdAt: createdAtOf(json), usage }),
  };
  return { type: 'response', response, empty };
}

/** The model's name, as the server says it. */
export function modelOf(json: JsonObject): string {
  return typeof json['model'] === 'string' ? json['model'] : '';
}

/** Unix seconds at which a line was written. */
export function createdAtOf(json: JsonObject): number | undefined {
  const unixMs = typeof json['created_at'] === 'string' ? Date.parse(json['created_at']) : Number.NaN;
  return unixMs > 0 ? Math.trunc(unixMs / 1000) : undefined;
}

/** What nobody else knows, under this protocol's name: how long things took, which host answered. */
export function ownMembers(json: JsonObject): { readonly [ollama]?: JsonObject } {
  const own = without(json, answerMembers);
  return Object.keys(own).length > 0 ? { [ollama]: own } : {};
}
