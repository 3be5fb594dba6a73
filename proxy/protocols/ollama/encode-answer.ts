// Canonical answer → answer of chat or generate, which differ only in where they have what was said.

import type { Block } from '../../canonical/block.ts';
import type { CanonicalResponse, FinishReason } from '../../canonical/response.ts';
import { type JsonObject, parseJson } from '../openai/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { AnswerTimes } from './answer-times.ts';
import { encodeLogprobs } from './logprobs.ts';
import { kept, type Said } from './wire.ts';

/** The members of a line or an answer that say something. */
export type EncodeSaid = (said: Said) => JsonObject;

/** Those of chat. */
export function encodeMessage({ text, thinking, calls }: Said): JsonObject {
  const details = { ...(thinking !== '' && { thinking }), ...(calls.length > 0 && { tool_calls: calls }) };
  return { message: { role: 'assistant', content: text, ...details } };
}

/** Those of generate. */
export function encodeResponseText({ text, thinking, calls }: Said): JsonObject {
  return { response: text, ...(thinking !== '' && { thinking }), ...(calls.length > 0 && { tool_calls: calls }) };
}

/** Writes a whole answer. */
export function encodeAnswer(response: CanonicalResponse, context: AnswerContext, encode: EncodeSaid): Buffer {
  const times = new AnswerTimes(context);
  const { content, finish, usage } = response;
  const spoken = join(content, 'text') + join(content, 'refusal');
  const wire = {
    model: response.model === '' ? context.model : response.model,
    created_at: times.timestamp,
    ...encode({
      text: spoken === '' ? withheldText(finish) : spoken,
      thinking: hidesThinking(context) ? '' : join(content, 'thinking'),
      calls: content.filter((block) => block.type === 'tool-call').flatMap(encodeCall),
    }),
    done: true,
    done_reason: encodeFinish(finish),
    ...times.encodeFinal(usage),
    // Where the upstream has measured the same, it knows better.
    ...kept(response),
    ...encodeLogprobs(response),
  };
  return Buffer.from(JSON.stringify(wire));
}

/** Whether the client wants no thinking: what the upstream thinks all the same is not shown. */
export function hidesThinking({ request }: AnswerContext): boolean {
  return request?.thinking?.type === 'off';
}

function join(blocks: readonly Block[], type: 'text' | 'thinking' | 'refusal'): string {
  return blocks.flatMap((block) => (block.type === type ? [block.text] : [])).join('');
}

/** A call as the protocol has it; nothing if its arguments were cut, because they have to be whole here. */
export function encodeCall(call: { id: string; tool: string; input: string }, index: number): readonly JsonObject[] {
  const input = call.input.trim() === '' ? {} : parseJson(call.input);
  return input === undefined ? [] : [{ id: call.id, function: { index, name: call.tool, arguments: input } }];
}

/** Why an answer ended: there are no words but these two. */
export function encodeFinish(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' || reason === 'context-window' ? 'length' : 'stop';
}

/** What to say in place of an answer of which nothing was let through: there is no reason to give that says so. */
export function withheldText(reason: FinishReason): string {
  return reason === 'content-filter' ? 'The answer was withheld by a content filter.' : '';
}
