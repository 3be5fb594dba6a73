// Canonical request → chat completions request.

import type { CanonicalRequest, ResponseFormat, Tool, ToolChoice } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { EncodedRequest, UpstreamModel } from '../protocol.ts';
import type { ChatDialect } from './dialect.ts';
import { encodeMessages } from './encode-message.ts';
import { applyDialect, encodeUser, toEffort } from './parameters.ts';
import { kept, withDefined } from './wire.ts';

/** Writes a request. Throws RefusedParameter, or ClientError `invalid_request` naming what cannot be said. */
export function encodeRequest(
  asked: CanonicalRequest,
  dialect: ChatDialect,
  model: UpstreamModel = {},
): EncodedRequest {
  const { stream_options: streamOptions, ...members } = kept(asked);
  const { request, own, dropped } = applyDialect(asked, members, dialect);
  const { topLogprobs, toolChoice, responseFormat } = request;
  const { dropped: alsoDropped, ...effort } = toEffort(request, model);
  const wire = {
    ...own,
    model: request.model,
    messages: [...encodeMessages(request.messages, dialect), ...encodePrefill(request, dialect)],
    ...(request.prefill !== undefined && dialect.prefill === 'continue_final_message' && continued),
    ...withDefined({
      tools: request.tools.length > 0 ? request.tools.map(encodeTool) : undefined,
      tool_choice: toolChoice && encodeToolChoice(toolChoice, dialect),
      parallel_tool_calls: request.parallelToolCalls,
      [dialect.maxTokensMember]: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      [dialect.renamed?.['seed'] ?? 'seed']: request.seed,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      stop: request.stop.length > 0 ? request.stop : undefined,
      n: request.choiceCount,
      logprobs: topLogprobs === undefined ? undefined : true,
      top_logprobs: topLogprobs === 0 ? undefined : topLogprobs,
      response_format: responseFormat && encodeResponseFormat(responseFormat),
      ...effort,
    }),
    ...encodeUser(request.userId, dialect),
    ...(request.stream && encodeStream(streamOptions, dialect)),
  };
  return { body: Buffer.from(JSON.stringify(wire)), dropped: [...dropped, ...alsoDropped] };
}

/** Without the second the server begins a new answer. */
const continued = { continue_final_message: true, add_generation_prompt: false };

function encodePrefill({ prefill }: CanonicalRequest, dialect: ChatDialect): readonly JsonObject[] {
  if (prefill === undefined) return [];
  return [{ role: 'assistant', content: prefill, ...(dialect.prefill === 'prefix' && { prefix: true }) }];
}

/** Usage is always asked for: without it nothing can be metered. */
function encodeStream(streamOptions: unknown, dialect: ChatDialect): JsonObject {
  if (!dialect.usageOnRequest) return { stream: true };
  return { stream: true, stream_options: { ...(streamOptions as object | undefined), include_usage: true } };
}

function encodeTool(tool: Tool): JsonObject {
  const { function: inner, ...outer } = kept(tool);
  const { name, description, parameters, strict } = tool;
  const wire = { ...(inner as object | undefined), name, ...withDefined({ description, parameters, strict }) };
  return { ...outer, type: 'function', function: wire };
}

function encodeToolChoice(choice: ToolChoice, { requiredToolChoice = 'required' }: ChatDialect): unknown {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return choice.type;
    case 'required':
      return requiredToolChoice;
    case 'tool':
      return { type: 'function', function: { name: choice.name } };
    case 'allowed': {
      const tools = choice.names.map((name) => ({ type: 'function', function: { name } }));
      return { type: 'allowed_tools', allowed_tools: { mode: choice.required ? 'required' : 'auto', tools } };
    }
  }
}

function encodeResponseFormat(format: ResponseFormat): JsonObject {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json':
      return { type: 'json_object' };
    case 'json-schema': {
      const { name, schema, strict, description } = format;
      const wire = { ...kept(format), name, schema, ...withDefined({ strict, description }) };
      return { type: 'json_schema', json_schema: wire };
    }
  }
}
