// What a request asks for that this API cannot be told: refused where the answer would be another one than was asked
// for, else left out and reported, or put as near as it goes.

import type { CanonicalRequest, Tool } from '../../canonical/request.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { droppedForeign, refuseForeign } from '../foreign-members.ts';
import type { DroppedParameter } from '../protocol.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { cohere } from './wire.ts';

/** More are refused. */
const stopsMax = 5;

/** What numbers may be. */
const ranges = {
  temperature: [0, 1],
  topP: [0.01, 0.99],
  topK: [0, 500],
  presencePenalty: [0, 1],
  frequencyPenalty: [0, 1],
} as const satisfies { readonly [name in keyof CanonicalRequest]?: readonly [min: number, max: number] };

/** Throws RefusedParameter for what cannot be said and must not be left out. */
export function refuseUnsayable(request: CanonicalRequest): void {
  const { choiceCount = 1, topLogprobs, stop, responseFormat = { type: 'text' }, tools, metadata } = request;
  if (choiceCount !== 1) throw new RefusedParameter('choiceCount', 'must be 1: this model gives one answer at a time.');
  if (stop.length > stopsMax)
    throw new RefusedParameter('stop', `must have at most ${stopsMax} entries for this model.`);
  // What it tells is of pieces of text, and not of tokens that clients could put together.
  if (topLogprobs !== undefined) {
    throw new RefusedParameter('topLogprobs', 'is not supported: this model tells no probabilities.');
  }
  if (responseFormat.type !== 'text' && tools.length > 0) {
    throw new RefusedParameter('responseFormat', 'must be text where there are tools, for this model.');
  }
  refuseForeign(metadata, cohere);
}

/** What is left out, or not told as it was asked for. */
export function droppedParameters(request: CanonicalRequest): readonly DroppedParameter[] {
  const clamped = rangeNames.filter((name) => inRange(request, name) !== request[name]);
  const { tools, parallelToolCalls, userId } = request;
  return [
    ...clamped.map((name) => ({ name, clamped: true })),
    ...(tools.some(({ strict }) => strict === true) && !areStrict(tools) ? [{ name: 'tools', clamped: true }] : []),
    ...(parallelToolCalls === false ? [{ name: 'parallelToolCalls' }] : []),
    ...(userId === undefined ? [] : [{ name: 'userId' }]),
    ...droppedForeign(request.metadata, cohere),
  ];
}

const rangeNames = Object.keys(ranges) as readonly (keyof typeof ranges)[];

function inRange(request: CanonicalRequest, name: keyof typeof ranges): number | undefined {
  const value = request[name];
  const [min, max] = ranges[name];
  return value === undefined ? undefined : Math.min(max, Math.max(min, value));
}

/** Writes everything that shapes the answer's text. */
export function encodeSampling(request: CanonicalRequest): JsonObject {
  return withDefined({
    max_tokens: request.maxOutputTokens,
    temperature: inRange(request, 'temperature'),
    p: inRange(request, 'topP'),
    k: inRange(request, 'topK'),
    seed: request.seed,
    presence_penalty: inRange(request, 'presencePenalty'),
    frequency_penalty: inRange(request, 'frequencyPenalty'),
    stop_sequences: request.stop.length > 0 ? request.stop : undefined,
    response_format: encodeFormat(request),
  });
}

function encodeFormat({ responseFormat }: CanonicalRequest): JsonObject | undefined {
  if (responseFormat === undefined || responseFormat.type === 'text') return undefined;
  if (responseFormat.type === 'json') return { type: 'json_object' };
  return { type: 'json_object', json_schema: responseFormat.schema };
}

/** Strictness is asked for all tools or none, and only where each must be told something. */
export function areStrict(tools: readonly Tool[]): boolean {
  return tools.length > 0 && tools.every((tool) => tool.strict === true && demandsArguments(tool));
}

function demandsArguments({ parameters }: Tool): boolean {
  const required = isJsonObject(parameters) ? parameters['required'] : undefined;
  return Array.isArray(required) && required.length > 0;
}
