// Canonical request → Converse request. The path names the model, and says whether the answer is to be a stream.

import type { CanonicalRequest, ResponseFormat } from '../../canonical/request.ts';
import { toStrictSchema } from '../anthropic-messages/strict-schema.ts';
import { planThinking, type ThinkingPlan } from '../anthropic-messages/thinking.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { DroppedParameter, EncodedRequest, UpstreamModel } from '../protocol.ts';
import { saidInMessages } from '../said-in-messages.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeTools } from './encode-tools.ts';
import { usesTools, withoutTools } from './history.ts';
import { converseModel, type ConverseModel } from './model.ts';
import { droppedParameters, encodeClaude, encodeInference, encodeServiceTier, refuseUnsayable } from './parameters.ts';

/** Writes a request. Throws RefusedParameter, or ClientError `invalid_request` naming what cannot be said. */
export function encodeRequest(asked: CanonicalRequest, config: UpstreamModel = {}): EncodedRequest {
  refuseUnsayable(asked);
  const model = converseModel(asked.model);
  const request = saidInMessages(withoutForbiddenTools(asked));
  const tools = encodeTools(request, model);
  const limit = outputLimit(request, model, config);
  const plan = planFor(request, model, { outputTokensMax: limit.max, forcedTool: tools.forced });
  // Thinking in so many tokens has to stay below a limit: it is better told than guessed.
  const maxTokens = limit.tokens ?? (plan.on && model.claude?.thinking === 'budget' ? limit.max : undefined);
  const inference = encodeInference(request, model, { thinks: plan.on, maxTokens });
  const { system, messages } = encodeMessages(request.messages, model);
  const wire = {
    messages,
    ...withDefined({
      system: system.length > 0 ? system : undefined,
      inferenceConfig: nonEmpty(inference.wire),
      toolConfig: tools.toolConfig,
      outputConfig: nonEmpty(encodeOutput(request, model, plan)),
      additionalModelRequestFields: encodeClaude(request, model, plan, tools.claudeChoice),
      serviceTier: encodeServiceTier(request).serviceTier,
    }),
  };
  const dropped = [...droppedParameters(request, model), ...limit.dropped, ...plan.dropped, ...inference.dropped];
  return { body: Buffer.from(JSON.stringify(wire)), dropped };
}

/** No choice says that no tool may be called: only where none is declared is none called. */
function withoutForbiddenTools(request: CanonicalRequest): CanonicalRequest {
  const forbidden = request.toolChoice?.type === 'none' && usesTools(request.messages);
  return forbidden ? { ...request, messages: withoutTools(request.messages) } : request;
}

interface Limit {
  /** What is told; the model's own limit if undefined. */
  readonly tokens: number | undefined;
  /** As far as it is known. */
  readonly max: number;
  readonly dropped: readonly DroppedParameter[];
}

/** A limit that nobody knows of a model that does not think is needed by nobody. */
const unknownMax = 4096;

function outputLimit({ maxOutputTokens }: CanonicalRequest, { claude }: ConverseModel, config: UpstreamModel): Limit {
  const known = config.maxOutputTokens ?? (claude?.limitIsKnown === true ? claude.outputTokensMax : undefined);
  const max = known ?? claude?.outputTokensMax ?? unknownMax;
  if (maxOutputTokens === undefined) return { tokens: undefined, max, dropped: [] };
  if (known === undefined || maxOutputTokens <= known)
    return { tokens: maxOutputTokens, max: maxOutputTokens, dropped: [] };
  return { tokens: known, max: known, dropped: [{ name: 'maxOutputTokens', clamped: true }] };
}

/** Every vendor has a way of its own to be told how much to think; Claude's is known here. */
function planFor(
  request: CanonicalRequest,
  { claude }: ConverseModel,
  limits: Parameters<typeof planThinking>[2],
): ThinkingPlan {
  if (claude !== undefined) return planThinking(request, claude, limits);
  const { reasoningEffort, thinking } = request;
  const off = reasoningEffort === 'none' || thinking?.type === 'off';
  const asked = reasoningEffort !== undefined || thinking !== undefined;
  const name = reasoningEffort === undefined ? 'thinking' : 'reasoningEffort';
  return { on: false, dropped: asked && !off ? [{ name }] : [] };
}

function encodeOutput(
  { responseFormat }: CanonicalRequest,
  { claude, structuredOutputs }: ConverseModel,
  { effort }: ThinkingPlan,
): JsonObject {
  const byFormat = responseFormat?.type === 'json-schema' && structuredOutputs;
  return withDefined({
    textFormat: byFormat ? encodeFormat(responseFormat) : undefined,
    effort: claude === undefined ? undefined : effort,
  });
}

/** The schema is text here. */
function encodeFormat({ name, schema, description }: Extract<ResponseFormat, { type: 'json-schema' }>): JsonObject {
  const jsonSchema = { schema: JSON.stringify(toStrictSchema(schema)), name, ...withDefined({ description }) };
  return { type: 'json_schema', structure: { jsonSchema } };
}

function nonEmpty(members: JsonObject): JsonObject | undefined {
  return Object.keys(members).length > 0 ? members : undefined;
}
