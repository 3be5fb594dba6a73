// What a request asks for that Converse cannot be told: refused where the answer would be another one than was asked for,
// else left out and reported, or put as near as it goes.

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { ThinkingPlan } from '../anthropic-messages/thinking.ts';
import type { JsonObject } from '../openai/wire.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';
import { droppedForeign, refuseForeign } from '../foreign-members.ts';
import type { DroppedParameter } from '../protocol.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { ConverseModel } from './model.ts';
import { bedrock } from './wire.ts';

/** Throws RefusedParameter for what cannot be said and must not be left out. */
export function refuseUnsayable({ choiceCount = 1, topLogprobs, metadata }: CanonicalRequest): void {
  if (choiceCount !== 1) throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
  if (topLogprobs !== undefined) {
    throw new RefusedParameter('topLogprobs', 'is not supported: this model tells no probabilities.');
  }
  refuseForeign(metadata, bedrock);
}

/** What is left out, sampling and thinking apart. */
export function droppedParameters(request: CanonicalRequest, { claude }: ConverseModel): readonly DroppedParameter[] {
  const names = (['seed', 'presencePenalty', 'frequencyPenalty', 'userId'] as const).filter(
    (name) => request[name] !== undefined,
  );
  const tier = encodeServiceTier(request);
  const isTold = (name: string): boolean => name === 'service_tier' && tier.told;
  const tools = request.tools.length > 0;
  return [
    ...names.map((name) => ({ name })),
    ...(tools && request.parallelToolCalls === false && claude === undefined ? [{ name: 'parallelToolCalls' }] : []),
    // The model is asked for JSON in words, and may not heed them.
    ...(request.responseFormat?.type === 'json' ? [{ name: 'responseFormat' }] : []),
    ...droppedForeign(request.metadata, bedrock, isTold),
  ];
}

/** A part of a request, and what of it could not be said. */
export interface Encoded {
  readonly wire: JsonObject;
  readonly dropped: readonly DroppedParameter[];
}

const temperatureMax = 1;

/** Writes `inferenceConfig`. Claude takes no sampling beside thinking, and some of its models none at all. */
export function encodeInference(
  request: CanonicalRequest,
  { claude }: ConverseModel,
  { thinks, maxTokens }: { readonly thinks: boolean; readonly maxTokens: number | undefined },
): Encoded {
  const { temperature, topP, topK } = request;
  const stops = request.stop.filter((text) => text.trim() !== '');
  const dropped: DroppedParameter[] = [];
  const limits = { maxTokens, stopSequences: stops.length > 0 ? stops : undefined };
  if (stops.length < request.stop.length) dropped.push({ name: 'stop', ...(stops.length > 0 && { clamped: true }) });
  // Only Claude's name for it is known here; it stands beside the others.
  if (topK !== undefined && (claude === undefined || claude.sampling === 'none' || thinks))
    dropped.push({ name: 'topK' });
  if (thinks || claude?.sampling === 'none') {
    if (temperature !== undefined && temperature !== 1) dropped.push({ name: 'temperature' });
    if (topP !== undefined && topP !== 1) dropped.push({ name: 'topP' });
    return { wire: withDefined(limits), dropped };
  }
  const clamped = temperature === undefined ? undefined : Math.min(temperatureMax, Math.max(0, temperature));
  if (clamped !== temperature) dropped.push({ name: 'temperature', clamped: true });
  const both = claude?.sampling === 'one' && clamped !== undefined && topP !== undefined;
  if (both && topP !== 1) dropped.push({ name: 'topP' });
  return { wire: withDefined({ ...limits, temperature: clamped, topP: both ? undefined : topP }), dropped };
}

/** What only Claude is told, in Anthropic's words. */
export function encodeClaude(
  { topK }: CanonicalRequest,
  { claude }: ConverseModel,
  { thinking, on }: ThinkingPlan,
  toolChoice: JsonObject | undefined,
): JsonObject | undefined {
  if (claude === undefined) return undefined;
  const top = on || claude.sampling === 'none' ? undefined : topK;
  const fields = withDefined({ thinking, top_k: top, tool_choice: toolChoice });
  return Object.keys(fields).length > 0 ? fields : undefined;
}

const tiers: ReadonlySet<unknown> = new Set(['default', 'flex', 'priority']);

/** The tier in which a request is to be served. What it is by itself need not be told. */
export function encodeServiceTier({ metadata }: CanonicalRequest): {
  readonly serviceTier: JsonObject | undefined;
  readonly told: boolean;
} {
  const tier = metadata[chat]?.['service_tier'];
  const known = tiers.has(tier);
  return { serviceTier: known ? { type: tier } : undefined, told: known || tier === 'auto' };
}
