// Canonical tools and what is demanded of them → `toolConfig` on the wire.

import type { CanonicalRequest, ResponseFormat, Tool } from '../../canonical/request.ts';
import { anthropic } from '../anthropic-messages/wire.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { cachePoint } from './cache-point.ts';
import { toolsOfHistory } from './history.ts';
import type { ConverseModel } from './model.ts';
import { jsonTool } from './wire.ts';

/** Tools as they will be sent. */
export interface EncodedTools {
  readonly toolConfig: JsonObject | undefined;
  /** In Anthropic's own words, where Converse has none for it: not more than one call at a time. */
  readonly claudeChoice: JsonObject | undefined;
  /** Whether a call is demanded. */
  readonly forced: boolean;
}

const noTools: EncodedTools = { toolConfig: undefined, claudeChoice: undefined, forced: false };

/**
 * Writes tools. A response format that the model has no way to keep becomes a tool that must be called: then the client's
 * own tools may be called instead, but no call is no answer.
 */
export function encodeTools(request: CanonicalRequest, model: ConverseModel): EncodedTools {
  const { responseFormat } = request;
  const specs = chosenTools(request).flatMap((tool) => encodeTool(tool, model));
  if (responseFormat?.type === 'json-schema' && !model.structuredOutputs) {
    const toolChoice = specs.length > 0 ? { any: {} } : { tool: { name: jsonTool } };
    const toolConfig = { tools: [...specs, encodeFormat(responseFormat)], toolChoice };
    return { toolConfig, claudeChoice: undefined, forced: true };
  }
  if (specs.length === 0) return noTools;
  return encodeChoice(request, specs, model);
}

/** Those that may be called; where none is declared, those that were. */
function chosenTools({ tools, toolChoice, messages }: CanonicalRequest): readonly Tool[] {
  if (toolChoice?.type === 'none') return [];
  const chosen = toolChoice?.type === 'allowed' ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
  return chosen.length > 0 ? chosen : toolsOfHistory(messages);
}

function encodeTool(tool: Tool, { cachePoints, structuredOutputs }: ConverseModel): readonly JsonObject[] {
  const { name, description, parameters, strict } = tool;
  const toolSpec = {
    name,
    // An empty one is refused.
    ...withDefined({ description: description === '' ? undefined : description }),
    inputSchema: { json: objectSchema(parameters) },
    ...(structuredOutputs && strict === true && { strict }),
  };
  const cache = cachePoints ? cachePoint(tool) : undefined;
  return cache === undefined ? [{ toolSpec }] : [{ toolSpec }, cache];
}

function encodeFormat({ description, schema }: Extract<ResponseFormat, { type: 'json-schema' }>): JsonObject {
  return {
    toolSpec: {
      name: jsonTool,
      description: description ?? 'Responds with a JSON object.',
      inputSchema: { json: objectSchema(schema) },
    },
  };
}

function objectSchema(schema: unknown): JsonObject {
  if (!isJsonObject(schema)) return { type: 'object', properties: {} };
  return schema['type'] === 'object' ? schema : { ...schema, type: 'object' };
}

function encodeChoice(
  { toolChoice, parallelToolCalls, metadata }: CanonicalRequest,
  tools: readonly JsonObject[],
  { claude, forcedTools }: ConverseModel,
): EncodedTools {
  const wanted = toolChoice?.type === 'allowed' ? (toolChoice.required ? 'required' : 'auto') : toolChoice?.type;
  const forced = wanted === 'required' || wanted === 'tool';
  if (forced && !forcedTools && metadata[anthropic] === undefined) {
    throw new RefusedParameter('toolChoice', 'must not demand a call: this model decides that itself.');
  }
  const name = toolChoice?.type === 'tool' ? toolChoice.name : '';
  const one = { type: wanted === 'required' ? 'any' : (wanted ?? 'auto'), ...(name !== '' && { name }) };
  if (parallelToolCalls === false && claude !== undefined) {
    return { toolConfig: { tools }, claudeChoice: { ...one, disable_parallel_tool_use: true }, forced };
  }
  const choices: { readonly [type: string]: JsonObject } = {
    auto: { auto: {} },
    required: { any: {} },
    tool: { tool: { name } },
  };
  const choice = wanted === undefined ? undefined : choices[wanted];
  return { toolConfig: { tools, ...withDefined({ toolChoice: choice }) }, claudeChoice: undefined, forced };
}
