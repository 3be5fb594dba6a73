// What Bedrock's Converse looks like on the wire, as far as Sluice reads it.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

import type { Metadata } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const bedrock = 'bedrock-converse';

/**
 * The tool that stands in for a response format where the model has none. A name that no client gives to a tool of its
 * own: that is how its call is told apart in an answer, which does not say what was asked.
 */
export const jsonTool = 'sluice_json';

/** Answers have no id of their own: the request has one. */
export function answerId(headers: SignalHeaders, fallbackId: string): string {
  return headers['x-amzn-requestid'] ?? fallbackId;
}

/** Members to keep for this protocol, as a member to spread; nothing if there are none. */
export function keepOwn(members: JsonObject): { readonly metadata?: Metadata } {
  return Object.keys(members).length === 0 ? {} : { metadata: { [bedrock]: members } };
}

/** Text, or '' for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A member that is an object; empty for anything else. */
export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Token counts; undefined if there are none. The input is counted without what a cache had to do with; ours is not. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isJsonObject(value)) return undefined;
  const input = count(value['inputTokens']);
  const output = count(value['outputTokens']);
  if (input === undefined && output === undefined) return undefined;
  const cachedTokens = count(value['cacheReadInputTokens']);
  const cacheWriteTokens = count(value['cacheWriteInputTokens']);
  return {
    inputTokens: (input ?? 0) + (cachedTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens: output ?? 0,
    ...withDefined({ cachedTokens, cacheWriteTokens }),
  };
}

/** More tokens than any answer has: sums of such counts stay exact. */
const tokensMax = 1e12;

function count(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.trunc(value), tokensMax);
}
