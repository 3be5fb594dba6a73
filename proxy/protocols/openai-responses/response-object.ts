// The object that an answer is, whole or in any state of its stream. It repeats most of what was asked for.

import type { CanonicalRequest, ResponseFormat, Tool, ToolChoice } from '../../canonical/request.ts';
import type { FinishReason } from '../../canonical/response.ts';
import type { Usage } from '../../canonical/usage.ts';
import type { JsonObject } from '../openai/wire.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { responses } from './wire.ts';

/** What stays the same from the first event of a stream to the last. */
export interface ResponseHead {
  readonly id: string;
  readonly object: 'response';
  readonly created_at: number;
  readonly model: string;
}

/** Id, time and model: the upstream's own where it gave any. */
export function responseHead(
  answer: { readonly id: string; readonly model: string; readonly createdAt?: number },
  context: AnswerContext,
): ResponseHead {
  const id = answer.id === '' ? context.requestId : answer.id;
  return {
    id: id.startsWith('resp_') ? id : `resp_${id.replaceAll(/[^\w-]/g, '_')}`,
    object: 'response',
    created_at: answer.createdAt ?? context.createdAt,
    model: answer.model === '' ? context.model : answer.model,
  };
}

/** The state of an answer. */
export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly incomplete?: 'max_output_tokens' | 'content_filter';
}

/** The state at the end. Calls of tools have none of their own. */
export function finalState(reason: FinishReason): ResponseState {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'tool-calls':
    case 'pause':
    case 'other':
      return { status: 'completed' };
    case 'length':
    case 'context-window':
      return { status: 'incomplete', incomplete: 'max_output_tokens' };
    case 'content-filter':
    case 'refusal':
      return { status: 'incomplete', incomplete: 'content_filter' };
  }
}

/** Puts an answer together. Official clients want every member that has no default. */
export function responseObject(
  head: ResponseHead,
  { status, incomplete }: ResponseState,
  { output, usage, request }: ResponseContent,
): JsonObject {
  return {
    ...head,
    status,
    background: false,
    error: null,
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    output,
    previous_response_id: null,
    store: false,
    ...repeat(request),
    usage: usage === undefined ? null : encodeUsage(usage),
  };
}

/** What is in an answer beside its head and state. */
export interface ResponseContent {
  readonly output: readonly JsonObject[];
  readonly usage: Usage | undefined;
  readonly request: CanonicalRequest | undefined;
}

/** Usage under this protocol's names. The details are always there. */
export function encodeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

const nothing: Partial<CanonicalRequest> = {};

function repeat(request: Partial<CanonicalRequest> = nothing): JsonObject {
  const { metadata = {}, tools = [], toolChoice } = request;
  const { metadata: labels = {}, service_tier: serviceTier, verbosity } = metadata[chat] ?? {};
  const { max_tool_calls: maxToolCalls = null, truncation = 'disabled' } = metadata[responses] ?? {};
  return {
    instructions: instructionsOf(request),
    max_output_tokens: request.maxOutputTokens ?? null,
    max_tool_calls: maxToolCalls,
    metadata: labels,
    parallel_tool_calls: request.parallelToolCalls ?? true,
    reasoning: { effort: request.reasoningEffort ?? null, summary: null },
    temperature: request.temperature ?? null,
    text: { format: encodeFormat(request.responseFormat), ...withDefined({ verbosity }) },
    tool_choice: encodeToolChoice(toolChoice),
    tools: tools.map(encodeTool),
    top_logprobs: request.topLogprobs ?? 0,
    top_p: request.topP ?? null,
    truncation,
    ...withDefined({ service_tier: serviceTier }),
  };
}

function instructionsOf({ messages = [] }: Partial<CanonicalRequest>): string | null {
  const [first] = messages;
  const [block] = first?.content ?? [];
  const marked = first?.metadata?.[responses]?.['instructions'] === true;
  return marked && block?.type === 'text' ? block.text : null;
}

function encodeTool({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    type: 'function',
    name,
    description: description ?? null,
    parameters: parameters ?? null,
    strict: strict ?? null,
  };
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  switch (choice?.type) {
    case undefined:
      return 'auto';
    case 'auto':
    case 'none':
    case 'required':
      return choice.type;
    case 'tool':
      return { type: 'function', name: choice.name };
    case 'allowed': {
      const tools = choice.names.map((name) => ({ type: 'function', name }));
      return { type: 'allowed_tools', mode: choice.required ? 'required' : 'auto', tools };
    }
  }
}

function encodeFormat(format: ResponseFormat | undefined): JsonObject {
  switch (format?.type) {
    case undefined:
    case 'text':
      return { type: 'text' };
    case 'json':
      return { type: 'json_object' };
    case 'json-schema': {
      const { name, schema, strict, description } = format;
      return { type: 'json_schema', name, schema, strict: strict ?? null, ...withDefined({ description }) };
    }
  }
}
