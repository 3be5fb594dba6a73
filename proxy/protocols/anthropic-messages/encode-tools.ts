// Canonical tools and what is demanded of them → `tools` and `tool_choice` on the wire.

import type { CanonicalRequest, ResponseFormat, Tool } from '../../canonical/request.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { ModelProfile } from './models.ts';
import { hostedTools } from './refuse-hosted.ts';
import { toStrictSchema } from './strict-schema.ts';
import { anthropic, jsonTool, kept } from './wire.ts';

/** More strict tools are refused; the others are merely not guaranteed to be called rightly. */
const strictToolsMax = 20;

/** Tools as they will be sent. */
export interface EncodedTools {
  readonly tools: readonly JsonObject[];
  readonly toolChoice: JsonObject | undefined;
  /** Whether a call is demanded. */
  readonly forced: boolean;
}

/**
 * Writes tools. A response format that the model has no way to keep becomes a tool that must be called: then the client's
 * own tools may be called instead, but no call is no answer.
 */
export function encodeTools(request: CanonicalRequest, profile: ModelProfile): EncodedTools {
  const tools = encodeList(request, profile);
  const { responseFormat } = request;
  if (responseFormat?.type !== 'json-schema' || profile.structuredOutputs) {
    return { tools, ...encodeChoice(request, tools.length > 0, profile) };
  }
  const type = tools.length > 0 ? { type: 'any' } : { type: 'tool', name: jsonTool };
  const toolChoice = { ...type, disable_parallel_tool_use: true };
  return { tools: [...tools, encodeFormat(responseFormat)], toolChoice, forced: true };
}

function encodeFormat({ description, schema }: Extract<ResponseFormat, { type: 'json-schema' }>): JsonObject {
  const name = jsonTool;
  return { name, description: description ?? 'Responds with a JSON object.', input_schema: objectSchema(schema) };
}

function encodeList(request: CanonicalRequest, profile: ModelProfile): readonly JsonObject[] {
  const { tools, toolChoice } = request;
  const wanted = toolChoice?.type === 'allowed' ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools;
  const own = request.metadata[anthropic] !== undefined;
  const strict = profile.structuredOutputs && wanted.filter((tool) => tool.strict === true).length <= strictToolsMax;
  const list = wanted.map((tool) => encodeTool(tool, { own, strict }));
  for (const { at, wire } of hostedTools(request)) list.splice(at, 0, wire);
  return list;
}

/** The schemas of a client of this protocol are as it wants them. */
function encodeTool(tool: Tool, { own, strict }: { readonly own: boolean; readonly strict: boolean }): JsonObject {
  const { wire, ...rest } = kept(tool);
  if (isJsonObject(wire)) return wire;
  const { name, description, parameters } = tool;
  if (own) return { name, ...withDefined({ description, input_schema: parameters, strict: tool.strict }), ...rest };
  const schema = objectSchema(parameters);
  const strictly = strict && tool.strict === true;
  return {
    name,
    ...withDefined({ description }),
    input_schema: strictly ? toStrictSchema(schema) : schema,
    ...(strictly && { strict: true }),
    ...rest,
  };
}

function objectSchema(schema: unknown): JsonObject {
  if (!isJsonObject(schema)) return { type: 'object', properties: {} };
  return schema['type'] === 'object' ? schema : { ...schema, type: 'object' };
}

function encodeChoice(
  { toolChoice, parallelToolCalls, metadata }: CanonicalRequest,
  hasTools: boolean,
  { forcedTools }: ModelProfile,
): { readonly toolChoice: JsonObject | undefined; readonly forced: boolean } {
  const single = parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls };
  // Without tools the API takes no choice.
  if (!hasTools) return { toolChoice: undefined, forced: false };
  const choice = (wire: JsonObject, forced: boolean): ReturnType<typeof encodeChoice> => {
    if (forced && !forcedTools && metadata[anthropic] === undefined) {
      throw new RefusedParameter('toolChoice', 'must not demand a call: this model decides that itself.');
    }
    return { toolChoice: wire['type'] === 'none' ? wire : { ...wire, ...single }, forced };
  };
  switch (toolChoice?.type) {
    case undefined:
      return parallelToolCalls === false ? choice({ type: 'auto' }, false) : { toolChoice: undefined, forced: false };
    case 'auto':
    case 'none':
      return choice({ type: toolChoice.type }, false);
    case 'required':
      return choice({ type: 'any' }, true);
    case 'tool':
      return choice({ type: 'tool', name: toolChoice.name }, true);
    case 'allowed':
      return toolChoice.required ? choice({ type: 'any' }, true) : choice({ type: 'auto' }, false);
  }
}
