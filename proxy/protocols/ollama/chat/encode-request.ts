// Canonical request → chat request.

import type { CanonicalRequest, Tool } from '../../../canonical/request.ts';
import type { JsonObject } from '../../openai/wire.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import type { EncodedRequest, UpstreamModel } from '../../protocol.ts';
import { encodeOptions } from '../options.ts';
import { encodeFormat } from '../settings.ts';
import { encodeThink } from '../think.ts';
import { kept } from '../wire.ts';
import { chosenTools, droppedParameters, refuseUnsayable } from './dropped.ts';
import { encodeMessages } from './encode-message.ts';

/** Writes a request. Throws RefusedParameter, or ClientError `invalid_request` naming what cannot be said. */
export function encodeRequest(request: CanonicalRequest, model: UpstreamModel = {}): EncodedRequest {
  refuseUnsayable(request);
  const { options, ...own } = kept(request);
  const { topLogprobs } = request;
  const { think, dropped } = encodeThink(request, model);
  const tools = chosenTools(request);
  const wire = {
    ...own,
    model: request.model,
    messages: encodeMessages(request.messages),
    ...withDefined({
      tools: tools.length > 0 ? tools.map(encodeTool) : undefined,
      format: encodeFormat(request.responseFormat),
      options: encodeOptions(request, options),
      think,
      logprobs: topLogprobs === undefined ? undefined : true,
      top_logprobs: topLogprobs === 0 ? undefined : topLogprobs,
    }),
    // Left out it would be true.
    stream: request.stream,
  };
  return { body: Buffer.from(JSON.stringify(wire)), dropped: [...droppedParameters(request), ...dropped] };
}

function encodeTool(tool: Tool): JsonObject {
  const { function: inner, ...outer } = kept(tool);
  const { name, description, parameters } = tool;
  const wire = { ...(inner as object | undefined), name, ...withDefined({ description, parameters }) };
  return { ...outer, type: 'function', function: wire };
}
