// Canonical request → messages request.

import { createHash } from 'node:crypto';

import type { CanonicalRequest, ResponseFormat } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import { droppedForeign, refuseForeign } from '../foreign-members.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';
import type { DroppedParameter, EncodedRequest, UpstreamModel } from '../protocol.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { saidInMessages } from '../said-in-messages.ts';
import type { AnthropicDialect } from './dialect.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeTools } from './encode-tools.ts';
import type { ModelProfile } from './models.ts';
import { toStrictSchema } from './strict-schema.ts';
import { planThinking, type ThinkingPlan } from './thinking.ts';
import { anthropic, kept } from './wire.ts';

/** Longer names of users are refused. */
const userIdCharsMax = 256;

/** Writes a request. Throws RefusedParameter, or ClientError `invalid_request` naming what cannot be said. */
export function encodeRequest(
  request: CanonicalRequest,
  dialect: AnthropicDialect,
  model: UpstreamModel = {},
): EncodedRequest {
  const { wire, dropped } = encode(request, dialect, model);
  return { body: Buffer.from(JSON.stringify(wire)), dropped, headers: dialect.headers };
}

/** Writes a request to count the tokens of another. */
export function encodeCountTokensRequest(
  request: CanonicalRequest,
  dialect: AnthropicDialect,
  model: UpstreamModel = {},
): EncodedRequest {
  const { wire } = encode(request, dialect, model);
  const counted = Object.fromEntries(Object.entries(wire).filter(([name]) => !uncounted.has(name)));
  return { body: Buffer.from(JSON.stringify(counted)), dropped: [], headers: dialect.headers };
}

/** Members that only an answer needs; counting refuses them. */
const uncounted: ReadonlySet<string> = new Set([
  'max_tokens',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'top_k',
  'metadata',
  'service_tier',
  'container',
]);

interface Encoded {
  readonly wire: JsonObject;
  readonly dropped: readonly DroppedParameter[];
}

function encode(request: CanonicalRequest, dialect: AnthropicDialect, model: UpstreamModel): Encoded {
  refuse(request);
  const profile = profileOf(request.model, dialect, model);
  const limit = outputLimit(request, profile);
  const { tools, toolChoice, forced } = encodeTools(request, profile);
  const plan = planThinking(request, profile, { outputTokensMax: limit.tokens, forcedTool: forced });
  const sampling = encodeSampling(request, profile, plan);
  const stop = request.stop.filter((text) => text.trim() !== '');
  const said = saidInMessages(request).messages;
  const { system, messages } = encodeMessages(said, dialect, dialect.systemTurns && profile.systemTurns);
  const { thinking: _, output_config: output, metadata, hosted_tools: __, ...own } = kept(request);
  const wire = {
    ...own,
    ...withDefined({
      anthropic_version: dialect.bodyVersion,
      model: dialect.modelInBody ? request.model : undefined,
      max_tokens: limit.tokens,
      system,
      messages,
      tools: tools.length > 0 ? tools : undefined,
      tool_choice: toolChoice,
      ...sampling.wire,
      stop_sequences: stop.length > 0 ? stop : undefined,
      thinking: plan.thinking,
      output_config: nonEmpty({ ...(output as JsonObject | undefined), ...encodeOutput(request, profile, plan) }),
      metadata: nonEmpty({ ...(metadata as JsonObject | undefined), ...encodeUser(userOf(request)) }),
      stream: request.stream && dialect.streamInBody ? true : undefined,
    }),
  };
  const dropped = [...droppedTuning(request, stop.length), ...limit.dropped, ...plan.dropped, ...sampling.dropped];
  return { wire, dropped };
}

/** What the model accepts, as the configuration knows better. */
function profileOf(name: string, dialect: AnthropicDialect, { maxOutputTokens }: UpstreamModel): ModelProfile {
  const profile = dialect.profile(name);
  if (maxOutputTokens === undefined) return profile;
  return { ...profile, outputTokensMax: maxOutputTokens, limitIsKnown: true };
}

function refuse({ choiceCount, topLogprobs, metadata }: CanonicalRequest): void {
  refuseForeign(metadata, anthropic);
  if (choiceCount !== undefined && choiceCount !== 1) {
    throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
  }
  if (topLogprobs !== undefined) {
    throw new RefusedParameter('topLogprobs', 'is not supported: this model tells no probabilities.');
  }
}

/** The most that may come out, which this protocol always wants to know. */
function outputLimit(request: CanonicalRequest, { outputTokensMax, limitIsKnown }: ModelProfile): Limit {
  const { maxOutputTokens = outputTokensMax } = request;
  if (!limitIsKnown || maxOutputTokens <= outputTokensMax) return { tokens: maxOutputTokens, dropped: [] };
  return { tokens: outputTokensMax, dropped: [{ name: 'maxOutputTokens', clamped: true }] };
}

interface Limit {
  readonly tokens: number;
  readonly dropped: readonly DroppedParameter[];
}

/** Temperature and the like: not beside thinking, and not for every model. That of 1 is what there is without. */
function encodeSampling(request: CanonicalRequest, { sampling }: ModelProfile, { on }: ThinkingPlan): Encoded {
  const { temperature, topP, topK } = request;
  const dropped: DroppedParameter[] = [];
  if (sampling === 'none' || on) {
    if (temperature !== undefined && temperature !== 1) dropped.push({ name: 'temperature' });
    if (topP !== undefined && topP !== 1) dropped.push({ name: 'topP' });
    if (topK !== undefined) dropped.push({ name: 'topK' });
    return { wire: {}, dropped };
  }
  const clamped = temperature === undefined ? undefined : Math.min(1, Math.max(0, temperature));
  if (clamped !== temperature) dropped.push({ name: 'temperature', clamped: true });
  const both = sampling === 'one' && clamped !== undefined && topP !== undefined;
  if (both && topP !== 1) dropped.push({ name: 'topP' });
  return { wire: { temperature: clamped, top_p: both ? undefined : topP, top_k: topK }, dropped };
}

function droppedTuning(request: CanonicalRequest, stops: number): readonly DroppedParameter[] {
  const names = (['seed', 'presencePenalty', 'frequencyPenalty'] as const).filter(
    (name) => request[name] !== undefined,
  );
  return [
    ...names.map((name) => ({ name })),
    ...(stops < request.stop.length ? [{ name: 'stop', ...(stops > 0 && { clamped: true }) }] : []),
    // The model is asked for JSON in words, and may not heed them.
    ...(request.responseFormat?.type === 'json' ? [{ name: 'responseFormat' }] : []),
    ...droppedForeign(request.metadata, anthropic, (name) => userMembers.has(name)),
  ];
}

function encodeOutput(request: CanonicalRequest, profile: ModelProfile, { effort }: ThinkingPlan): JsonObject {
  const { responseFormat } = request;
  const byFormat = responseFormat?.type === 'json-schema' && profile.structuredOutputs;
  const own = request.metadata[anthropic] !== undefined;
  return withDefined({ effort, format: byFormat ? encodeFormat(responseFormat, own) : undefined });
}

function encodeFormat(format: Extract<ResponseFormat, { type: 'json-schema' }>, own: boolean): JsonObject {
  return { type: 'json_schema', schema: own ? format.schema : toStrictSchema(format.schema), ...kept(format) };
}

/** How clients of OpenAI say who asks, by the newer name and by the older one. */
const userMembers: ReadonlySet<string> = new Set(['safety_identifier', 'user']);

function userOf({ userId, metadata }: CanonicalRequest): string | undefined {
  if (userId !== undefined) return userId;
  const members = metadata[chat] ?? {};
  return [...userMembers].map((name) => members[name]).find((value) => typeof value === 'string');
}

function encodeUser(userId: string | undefined): JsonObject {
  if (userId === undefined) return {};
  const short = userId.length <= userIdCharsMax;
  return { user_id: short ? userId : createHash('sha256').update(userId).digest('hex') };
}

function nonEmpty(members: JsonObject): JsonObject | undefined {
  return Object.keys(members).length > 0 ? members : undefined;
}
