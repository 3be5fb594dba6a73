// What the OpenAI family's JSON looks like, as far as Sluice reads it. Everything is optional and unknown: these are
// answers of many vendors that only resemble one another.

import type { Usage } from '../../canonical/usage.ts';

/** Any JSON object. */
export interface JsonObject {
  readonly [name: string]: unknown;
}

/** Whether a value is a JSON object, not null and not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Token counts under the names of chat completions and of responses. */
interface WireUsage {
  readonly prompt_tokens?: unknown;
  readonly completion_tokens?: unknown;
  readonly total_tokens?: unknown;
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: unknown } | null;
  readonly input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly input_tokens_details?: { readonly cached_tokens?: unknown } | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: unknown } | null;
  /** DeepSeek. */
  readonly prompt_cache_hit_tokens?: unknown;
}

/** Reads token counts; undefined if there are none. Never negative, never NaN, parts never more than the whole. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isJsonObject(value)) return undefined;
  const wire: WireUsage = value;
  const input = count(wire.prompt_tokens) ?? count(wire.input_tokens);
  const output = count(wire.completion_tokens) ?? count(wire.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  const cached =
    count(wire.prompt_tokens_details?.cached_tokens) ??
    count(wire.input_tokens_details?.cached_tokens) ??
    count(wire.prompt_cache_hit_tokens);
  const reasoning =
    count(wire.completion_tokens_details?.reasoning_tokens) ?? count(wire.output_tokens_details?.reasoning_tokens);
  return {
    ...withParts(input ?? 0, output ?? 0, cached ?? 0, reasoning ?? 0, count(wire.total_tokens)),
    ...(cached !== undefined && { cachedTokens: cached }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
  };
}

/** xAI counts reasoning beside the output, and sometimes cached input beside the input: only the sum gives it away. */
function withParts(input: number, output: number, cached: number, reasoning: number, total: number | undefined): Usage {
  const reasoningBeside = reasoning > output || (reasoning > 0 && total === input + output + reasoning);
  return {
    inputTokens: cached > input ? input + cached : input,
    outputTokens: reasoningBeside ? output + reasoning : output,
  };
}

/** More tokens than any answer has: sums of such counts stay exact. */
const tokensMax = 1e12;

function count(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.trunc(value), tokensMax);
}
