// What Ollama's API looks like on the wire, as far as Sluice reads it. https://github.com/ollama/ollama/blob/main/docs/api.md

import type { Metadata } from '../../canonical/block.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject, readUsage } from '../openai/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const ollama = 'ollama';

/** What canonical metadata keeps for this protocol. */
export function kept(of: { readonly metadata?: Metadata }): JsonObject {
  return of.metadata?.[ollama] ?? {};
}

/** What one answer, or one line of it, says. */
export interface Said {
  readonly thinking: string;
  readonly text: string;
  readonly calls: readonly JsonObject[];
}

/** Reads a line or a whole answer: of chat, which has a message, or of generate, which has the same in other places. */
export function readSaid(json: JsonObject): Said {
  const message = json['message'];
  const source = isJsonObject(message) ? message : json;
  const calls = source['tool_calls'];
  return {
    thinking: toText(source['thinking']),
    text: toText(source === json ? json['response'] : source['content']),
    calls: Array.isArray(calls) ? calls.filter(isJsonObject) : [],
  };
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Whether a line or answer carries something that a client waits for; `image` is of models that draw. */
export function hasContent(json: JsonObject): boolean {
  const { thinking, text, calls } = readSaid(json);
  return thinking !== '' || text !== '' || calls.length > 0 || toText(json['image']) !== '';
}

/** Token counts. Both are left out where they are zero, and all of them before the last line. */
export function readCounts(json: JsonObject): Usage | undefined {
  return readUsage({ prompt_tokens: json['prompt_eval_count'], completion_tokens: json['eval_count'] });
}

/** The counts of an answer that tells none. */
export const noTokens: Usage = { inputTokens: 0, outputTokens: 0 };

/** Whether a line or answer is an error: official clients throw on the member alone, so that it means nothing else. */
export function isFailure(json: JsonObject): boolean {
  const error = json['error'];
  return error !== undefined && error !== null;
}

/** A time as this protocol writes it. */
export function toTimestamp(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
