// `options` in both directions: what has a counterpart in the canonical request, and the rest, which is about how a
// model is run.

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { MemberReader } from '../member-reader.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';

/** What `options` say. */
export interface Options {
  readonly stop: readonly string[];
  readonly members: Partial<
    Pick<
      CanonicalRequest,
      'maxOutputTokens' | 'temperature' | 'topP' | 'topK' | 'seed' | 'presencePenalty' | 'frequencyPenalty'
    >
  >;
  /** Options without a counterpart: `num_ctx`, `repeat_penalty`, `min_p`, `mirostat`. */
  readonly rest: JsonObject | undefined;
}

/** Reads the options of a request. */
export function decodeOptions(reader: MemberReader): Options {
  const options = reader.object('options');
  if (options === undefined) return { stop: [], members: {}, rest: undefined };
  const members = withDefined({
    maxOutputTokens: decodeLimit(options),
    temperature: options.number('temperature'),
    topP: options.number('top_p'),
    topK: options.number('top_k'),
    seed: options.number('seed'),
    presencePenalty: options.number('presence_penalty'),
    frequencyPenalty: options.number('frequency_penalty'),
  });
  return { stop: decodeStop(options), members, rest: options.rest() };
}

/** −1 is as much as the model likes, −2 as much as the context holds, and 0 is no limit either. */
function decodeLimit(options: MemberReader): number | undefined {
  const limit = Math.trunc(options.number('num_predict') ?? 0);
  return limit > 0 ? limit : undefined;
}

function decodeStop(options: MemberReader): readonly string[] {
  const stop = options.any('stop');
  if (stop === undefined) return [];
  if (typeof stop === 'string') return [stop];
  const isTexts = Array.isArray(stop) && stop.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw options.refuse('stop', 'must be a list of strings.');
  return stop;
}

/** Writes the options of a request; undefined if there are none. `rest` are those that were kept. */
export function encodeOptions(request: CanonicalRequest, rest: unknown): JsonObject | undefined {
  const options = {
    ...(rest as JsonObject | undefined),
    ...withDefined({
      num_predict: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      seed: request.seed,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      stop: request.stop.length > 0 ? request.stop : undefined,
    }),
  };
  return Object.keys(options).length > 0 ? options : undefined;
}

/** What this protocol calls parameters of the canonical request. */
export const parameterNames: { readonly [canonical: string]: string } = {
  maxOutputTokens: 'options.num_predict',
  temperature: 'options.temperature',
  topP: 'options.top_p',
  topK: 'options.top_k',
  seed: 'options.seed',
  presencePenalty: 'options.presence_penalty',
  frequencyPenalty: 'options.frequency_penalty',
  stop: 'options.stop',
  topLogprobs: 'top_logprobs',
  responseFormat: 'format',
  reasoningEffort: 'think',
  thinking: 'think',
};
