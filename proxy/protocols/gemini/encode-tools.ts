// Canonical tools and what is demanded of them → `tools` and `toolConfig`.

import type { CanonicalRequest, Tool } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { ModelProfile } from './models.ts';
import { toJsonSchema, toOpenApiSchema } from './schema.ts';

/** What a function may be called. Another name would be refused, and a changed one come back to the client. */
const legalName = /^[a-z_][\w.:-]{0,127}$/i;

/** The two members that tools become. */
export interface EncodedTools {
  readonly tools: readonly JsonObject[] | undefined;
  readonly toolConfig: JsonObject | undefined;
}

/** Writes tools. Throws RefusedParameter. */
export function encodeTools({ tools, toolChoice }: CanonicalRequest, profile: ModelProfile): EncodedTools {
  const named = toolChoice?.type === 'allowed' && !toolChoice.required ? toolChoice.names : undefined;
  // Names can be allowed only where a call is demanded: else the model is not told of the other tools.
  const told = named === undefined ? tools : tools.filter(({ name }) => named.includes(name));
  // A choice among no tools is refused.
  if (told.length === 0) return { tools: undefined, toolConfig: undefined };
  const functionDeclarations = told.map((tool) => encodeTool(tool, profile));
  const calling = toolChoice && encodeChoice(toolChoice);
  return { tools: [{ functionDeclarations }], toolConfig: calling && { functionCallingConfig: calling } };
}

function encodeTool({ name, description, parameters }: Tool, { jsonSchema }: ModelProfile): JsonObject {
  if (!legalName.test(name)) {
    const why = 'must have names of letters, digits, _, -, . and : that begin with a letter or _ for this model:';
    throw new RefusedParameter('tools', `${why} ${JSON.stringify(name)} does not.`);
  }
  const schema = jsonSchema
    ? { parametersJsonSchema: toJsonSchema(parameters) }
    : { parameters: toOpenApiSchema(parameters) };
  return { name, ...withDefined({ description, ...schema }) };
}

function encodeChoice(choice: NonNullable<CanonicalRequest['toolChoice']>): JsonObject {
  switch (choice.type) {
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    case 'allowed':
      return choice.required ? { mode: 'ANY', allowedFunctionNames: choice.names } : { mode: 'AUTO' };
  }
}
