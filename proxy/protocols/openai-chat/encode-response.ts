// Canonical response → chat completions answer.

import type { Block } from '../../canonical/block.ts';
import type { Alternative, CanonicalResponse } from '../../canonical/response.ts';
import type { Usage } from '../../canonical/usage.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { encodeFinish } from './finish.ts';
import { kept, withDefined } from './wire.ts';

/** Writes an answer. */
export function encodeResponse(response: CanonicalResponse, context: AnswerContext): Buffer {
  const { choice: _, message: __, ...own } = kept(response);
  const wire = {
    ...own,
    ...answerHead(response, context),
    object: 'chat.completion',
    choices: [response, ...(response.alternatives ?? [])].map(encodeChoice),
    ...(response.usage && { usage: encodeUsage(response.usage) }),
  };
  return Buffer.from(JSON.stringify(wire));
}

function encodeChoice(answer: Alternative, index: number): JsonObject {
  const { choice, message } = kept(answer);
  return {
    logprobs: null,
    ...(choice as object | undefined),
    index,
    message: { ...(message as object | undefined), ...encodeContent(answer.content) },
    finish_reason: encodeFinish(answer.finish),
  };
}

/** Id, time and model: the upstream's own where it gave any. */
export function answerHead(
  answer: { readonly id: string; readonly model: string; readonly createdAt?: number },
  context: AnswerContext,
): { readonly id: string; readonly created: number; readonly model: string } {
  return {
    id: answer.id === '' ? `chatcmpl-${context.requestId}` : answer.id,
    created: answer.createdAt ?? context.createdAt,
    model: answer.model === '' ? context.model : answer.model,
  };
}

function encodeContent(blocks: readonly Block[]): JsonObject {
  const text = join(blocks, 'text');
  const refusal = join(blocks, 'refusal');
  const thinking = blocks.filter((block) => block.type === 'thinking');
  const details = thinking.flatMap((block) => kept(block)['reasoning_details'] ?? []);
  const calls = blocks.filter((block) => block.type === 'tool-call');
  return {
    role: 'assistant',
    content: text ?? (calls.length > 0 || refusal !== undefined ? null : ''),
    refusal: refusal ?? null,
    ...(thinking.length > 0 && encodeThinking(thinking.map((block) => block.text).join(''))),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({
        ...kept(call),
        id: call.id,
        type: 'function',
        function: { name: call.tool, arguments: call.input },
      })),
    }),
  };
}

/** Clients of some vendors look for the one name, clients of others for the other. */
export function encodeThinking(text: string): JsonObject {
  return { reasoning_content: text, reasoning: text };
}

function join(blocks: readonly Block[], type: 'text' | 'refusal'): string | undefined {
  const texts = blocks.flatMap((block) => (block.type === type ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('');
}

/** Usage under this protocol's names. */
export function encodeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  const input = withDefined({ cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens });
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(Object.keys(input).length > 0 && { prompt_tokens_details: input }),
    ...(reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}
