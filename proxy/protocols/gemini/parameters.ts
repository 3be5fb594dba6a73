// What a request asks for that this API cannot be told: refused where the answer would be another one than was asked
// for, else left out and reported, or put as near as it goes.

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import { droppedForeign, refuseForeign } from '../foreign-members.ts';
import type { DroppedParameter } from '../protocol.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { GeminiDialect } from './dialect.ts';
import type { ModelProfile } from './models.ts';
import { toJsonSchema, toOpenApiSchema } from './schema.ts';
import { gemini } from './wire.ts';

/** More are refused. */
const stopsMax = 5;
const choicesMax = 8;
const temperatureMax = 2;

/** Throws RefusedParameter for what cannot be said and must not be left out. */
export function refuseUnsayable(request: CanonicalRequest, profile: ModelProfile, dialect: GeminiDialect): void {
  const { topLogprobs = 0, stop, responseFormat = { type: 'text' }, tools } = request;
  refuseChoices(request);
  if (stop.length > stopsMax)
    throw new RefusedParameter('stop', `must have at most ${stopsMax} entries for this model.`);
  if (topLogprobs > dialect.logprobsMax) {
    throw new RefusedParameter('topLogprobs', `must be at most ${dialect.logprobsMax} for this model.`);
  }
  if (responseFormat.type !== 'text' && tools.length > 0 && !profile.jsonWithTools) {
    throw new RefusedParameter('responseFormat', 'must be text where there are tools, for this model.');
  }
  refuseForeign(request.metadata, gemini);
}

/** Which models give several the service knows best, and says so. */
function refuseChoices({ choiceCount = 1, stream }: CanonicalRequest): void {
  if (choiceCount < 1 || choiceCount > choicesMax) {
    throw new RefusedParameter('choiceCount', `must be from 1 to ${choicesMax} for this model.`);
  }
  if (stream && choiceCount > 1) throw new RefusedParameter('choiceCount', 'must be 1 in a stream of this model.');
}

/** What is left out. */
export function droppedParameters(request: CanonicalRequest, profile: ModelProfile): readonly DroppedParameter[] {
  const { temperature = 0, parallelToolCalls, userId } = request;
  return [
    ...(temperature > temperatureMax ? [{ name: 'temperature', clamped: true }] : []),
    ...(profile.penalties ? [] : Object.keys(penaltiesOf(request)).map((name) => ({ name }))),
    ...(parallelToolCalls === false ? [{ name: 'parallelToolCalls' }] : []),
    ...(userId === undefined ? [] : [{ name: 'userId' }]),
    ...droppedForeign(request.metadata, gemini),
  ];
}

/** Writes `generationConfig`, thinking apart. */
export function encodeGeneration(request: CanonicalRequest, profile: ModelProfile): JsonObject {
  const { temperature, topLogprobs, stop } = request;
  return withDefined({
    temperature: temperature === undefined ? undefined : Math.min(temperatureMax, temperature),
    topP: request.topP,
    topK: request.topK,
    maxOutputTokens: request.maxOutputTokens,
    stopSequences: stop.length > 0 ? stop : undefined,
    seed: request.seed,
    candidateCount: request.choiceCount === 1 ? undefined : request.choiceCount,
    ...(profile.penalties && penaltiesOf(request)),
    responseLogprobs: topLogprobs === undefined ? undefined : true,
    logprobs: topLogprobs === 0 ? undefined : topLogprobs,
    ...encodeFormat(request, profile),
  });
}

function penaltiesOf({ presencePenalty, frequencyPenalty }: CanonicalRequest): JsonObject {
  return withDefined({ presencePenalty, frequencyPenalty });
}

function encodeFormat({ responseFormat }: CanonicalRequest, { jsonSchema }: ModelProfile): JsonObject {
  if (responseFormat === undefined || responseFormat.type === 'text') return {};
  const responseMimeType = 'application/json';
  if (responseFormat.type === 'json') return { responseMimeType };
  const { schema } = responseFormat;
  return jsonSchema
    ? { responseMimeType, responseJsonSchema: toJsonSchema(schema) }
    : { responseMimeType, responseSchema: toOpenApiSchema(schema) };
}
