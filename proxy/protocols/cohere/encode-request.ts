// Canonical request → chat request.

import type { CanonicalRequest, Tool } from '../../canonical/request.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { EncodedRequest, UpstreamModel } from '../protocol.ts';
import { encodeMessages } from './encode-messages.ts';
import { areStrict, droppedParameters, encodeSampling, refuseUnsayable } from './parameters.ts';
import { planThinking } from './thinking.ts';

/** Writes a request. Throws RefusedParameter. */
export function encodeRequest(request: CanonicalRequest, model: UpstreamModel = {}): EncodedRequest {
  refuseUnsayable(request);
  const { thinking, dropped } = planThinking(request, model);
  const wire = {
    model: request.model,
    messages: encodeMessages(request.messages),
    ...encodeTools(request),
    ...encodeSampling(request),
    ...withDefined({ thinking }),
    stream: request.stream,
  };
  return { body: Buffer.from(JSON.stringify(wire)), dropped: [...droppedParameters(request), ...dropped] };
}

/** A certain tool cannot be demanded, but any can where there is no other. */
function encodeTools({ tools, toolChoice }: CanonicalRequest): JsonObject {
  const wanted = toolChoice?.type === 'tool' ? [toolChoice.name] : undefined;
  const names = toolChoice?.type === 'allowed' ? toolChoice.names : wanted;
  const told = names === undefined ? tools : tools.filter(({ name }) => names.includes(name));
  if (told.length === 0) return {};
  const choice = choiceOf(toolChoice);
  return {
    tools: told.map(encodeTool),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(areStrict(told) && { strict_tools: true }),
  };
}

function encodeTool({ name, description, parameters }: Tool): JsonObject {
  const schema = isJsonObject(parameters) ? parameters : { type: 'object', properties: {} };
  return { type: 'function', function: { name, ...withDefined({ description }), parameters: schema } };
}

/** Without a word the model decides. */
function choiceOf(choice: CanonicalRequest['toolChoice']): 'REQUIRED' | 'NONE' | undefined {
  switch (choice?.type) {
    case undefined:
    case 'auto':
      return undefined;
    case 'none':
      return 'NONE';
    case 'required':
    case 'tool':
      return 'REQUIRED';
    case 'allowed':
      return choice.required ? 'REQUIRED' : undefined;
  }
}
