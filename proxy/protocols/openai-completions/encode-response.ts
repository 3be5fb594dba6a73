// Canonical response → legacy completions answer.

import type { Block } from '../../canonical/block.ts';
import type { CanonicalResponse, FinishReason } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import { encodeUsage } from '../openai-chat/encode-response.ts';
import type { AnswerContext } from '../protocol.ts';

/** Writes an answer. */
export function encodeResponse(response: CanonicalResponse, context: AnswerContext): Buffer {
  const wire = {
    ...answerHead(response, context),
    choices: [response, ...(response.alternatives ?? [])].map(({ content, finish }, index) =>
      choice(content.map(textOf).join(''), encodeFinish(finish), index),
    ),
    ...(response.usage && { usage: encodeUsage(response.usage) }),
  };
  return Buffer.from(JSON.stringify(wire));
}

/** What answers and chunks begin with: the upstream's own where it gave any. */
export function answerHead(
  answer: { readonly id: string; readonly model: string; readonly createdAt?: number },
  context: AnswerContext,
): JsonObject {
  return {
    id: answer.id === '' ? `cmpl-${context.requestId}` : answer.id,
    object: 'text_completion',
    created: answer.createdAt ?? context.createdAt,
    model: answer.model === '' ? context.model : answer.model,
  };
}

/** One choice, whole or in a chunk. */
export function choice(text: string, finish: string | null, index = 0): JsonObject {
  return { text, index, logprobs: null, finish_reason: finish };
}

/** Thinking has no place here. */
function textOf(block: Block): string {
  return block.type === 'text' || block.type === 'refusal' ? block.text : '';
}

/** There are no tools here, and no word for their calls. */
export function encodeFinish(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'tool-calls':
    case 'pause':
    case 'other':
      return 'stop';
    case 'length':
    case 'context-window':
      return 'length';
    case 'content-filter':
    case 'refusal':
      return 'content_filter';
  }
}
