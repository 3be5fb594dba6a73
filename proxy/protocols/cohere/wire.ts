// What Cohere's second API looks like on the wire, as far as Sluice reads it. https://docs.cohere.com/reference/chat

import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const cohere = 'cohere';

/** Text, or '' for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An object, or an empty one for anything else. */
export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The objects in a list; one that stands alone counts as a list of it. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  if (isJsonObject(value)) return [value];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Whether an answer or an event is an error: those have a message that is text, where others have an object. */
export function isError(json: JsonObject): boolean {
  return Boolean(json['error']) || typeof json['message'] === 'string';
}

/** Token counts; undefined if there are none. What is billed leaves out what the vendor adds to a prompt. */
export function readUsage(value: unknown): Usage | undefined {
  const usage = objectOf(value);
  const tokens = objectOf(usage['tokens']);
  const billed = objectOf(usage['billed_units']);
  const input = count(tokens['input_tokens']) ?? count(billed['input_tokens']);
  const output = count(tokens['output_tokens']) ?? count(billed['output_tokens']);
  if (input === undefined && output === undefined) return undefined;
  const cached = count(usage['cached_tokens']);
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    ...withDefined({ cachedTokens: cached === undefined ? undefined : Math.min(cached, input ?? 0) }),
  };
}

/** More tokens than any answer has: sums of such counts stay exact. */
const tokensMax = 1e12;

function count(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.trunc(value), tokensMax);
}

/** Arguments of a call: models that need none write `null`, or nothing. */
export function toInput(text: string): string {
  const bare = text.trim();
  return bare === '' || bare === 'null' ? '{}' : text;
}
