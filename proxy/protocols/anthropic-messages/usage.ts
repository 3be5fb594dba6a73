// Token counts of this protocol. Its input counts leave out what a cache had to do with; ours do not.
// https://platform.claude.com/docs/en/build-with-claude/prompt-caching

import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';

/** Counts as the wire has them; those that are not told are undefined. */
export interface Counts {
  readonly input: number | undefined;
  readonly cacheWrite: number | undefined;
  readonly cacheRead: number | undefined;
  readonly output: number | undefined;
  readonly thinking: number | undefined;
}

/** Members of `usage` that have a counterpart in the canonical model. */
export const usageMembers: ReadonlySet<string> = new Set([
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'output_tokens',
  'output_tokens_details',
]);

/** Reads a `usage` object; undefined if it counts nothing. */
export function readCounts(value: unknown): Counts | undefined {
  if (!isJsonObject(value)) return undefined;
  const details = value['output_tokens_details'];
  const counts: Counts = {
    input: count(value['input_tokens']),
    cacheWrite: count(value['cache_creation_input_tokens']),
    cacheRead: count(value['cache_read_input_tokens']),
    output: count(value['output_tokens']),
    thinking: isJsonObject(details) ? count(details['thinking_tokens']) : undefined,
  };
  return counts.input === undefined && counts.output === undefined ? undefined : counts;
}

/**
 * What two events of a stream count together. All counts are of the whole answer so far, and the later one knows better:
 * a gateway in between may have estimated the input at first. Servers that resemble Anthropic's tell it at the beginning
 * or at the end, and 0 in the other place.
 */
export function mergeCounts(earlier: Counts | undefined, later: Counts | undefined): Counts | undefined {
  if (earlier === undefined || later === undefined) return earlier ?? later;
  const input = (later.input ?? 0) + (later.cacheWrite ?? 0) + (later.cacheRead ?? 0) > 0 ? later : earlier;
  const other = input === later ? earlier : later;
  return {
    input: input.input ?? other.input,
    cacheWrite: input.cacheWrite ?? other.cacheWrite,
    cacheRead: input.cacheRead ?? other.cacheRead,
    output: later.output ?? earlier.output,
    thinking: later.thinking ?? earlier.thinking,
  };
}

/** Counts in canonical form: the input is all of it. */
export function toUsage(counts: Counts | undefined): Usage | undefined {
  if (counts === undefined) return undefined;
  const { input = 0, cacheWrite, cacheRead, output = 0, thinking } = counts;
  return {
    inputTokens: input + (cacheWrite ?? 0) + (cacheRead ?? 0),
    outputTokens: output,
    ...withDefined({
      cachedTokens: cacheRead,
      cacheWriteTokens: cacheWrite,
      reasoningTokens: thinking === undefined ? undefined : Math.min(thinking, output),
    }),
  };
}

/** Usage under this protocol's names. */
export function encodeUsage(usage: Usage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
    ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
  };
}

/** More tokens than any answer has: sums of such counts stay exact. */
const tokensMax = 1e12;

function count(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.trunc(value), tokensMax);
}
