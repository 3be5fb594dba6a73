// What Gemini's API looks like on the wire, as far as Sluice reads it. https://ai.google.dev/api/generate-content

import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const gemini = 'gemini';

/** The candidates of an answer or of a chunk of one. Usually one; none where the prompt was blocked, or for usage alone. */
export function candidatesOf(json: JsonObject): readonly JsonObject[] {
  const candidates = json['candidates'];
  return Array.isArray(candidates) ? candidates.filter(isJsonObject) : [];
}

/** Number of a candidate; where there is only one it may not be told. */
export function candidateNumber(candidate: JsonObject): number {
  return typeof candidate['index'] === 'number' ? candidate['index'] : 0;
}

/** The parts of a candidate: none where thinking took all the tokens that were allowed. */
export function partsOf(candidate: JsonObject): readonly JsonObject[] {
  const { content } = candidate;
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) ? parts.filter(isJsonObject) : [];
}

/** Members of a part that say nothing by themselves. */
const quiet: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature', 'partMetadata']);

/** Whether a part carries something that a client waits for. */
export function partHasContent(part: JsonObject): boolean {
  return textOf(part['text']) !== '' || Object.keys(part).some((name) => !quiet.has(name));
}

/** Text, or '' for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Why the prompt was blocked; undefined if it was not. Then there are no candidates, and the status is 200 all the same. */
export function blockReasonOf(json: JsonObject): string | undefined {
  const feedback = json['promptFeedback'];
  const reason = isJsonObject(feedback) ? textOf(feedback['blockReason']) : '';
  return reason === '' || reason === 'BLOCK_REASON_UNSPECIFIED' ? undefined : reason;
}

/** Whether an answer or a chunk is an error object. */
export function isError(json: JsonObject): boolean {
  return Boolean(json['error']);
}

/** Token counts; undefined if there are none. Those of a stream are of all of it so far. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isJsonObject(value)) return undefined;
  const prompt = count(value['promptTokenCount']);
  const said = count(value['candidatesTokenCount']);
  const thoughts = count(value['thoughtsTokenCount']);
  if (prompt === undefined && said === undefined && thoughts === undefined) return undefined;
  return {
    inputTokens: (prompt ?? 0) + (count(value['toolUsePromptTokenCount']) ?? 0),
    outputTokens: (said ?? 0) + (thoughts ?? 0),
    ...withDefined({ cachedTokens: count(value['cachedContentTokenCount']), reasoningTokens: thoughts }),
  };
}

/** More tokens than any answer has: sums of such counts stay exact. */
const tokensMax = 1e12;

function count(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.trunc(value), tokensMax);
}

/** Unix seconds at which an answer was made. Only Vertex tells. */
export function createdAtOf(json: JsonObject): number | undefined {
  const unixMs = Date.parse(textOf(json['createTime']));
  return unixMs > 0 ? Math.trunc(unixMs / 1000) : undefined;
}

/** Answers and errors that come as a list of one, as they do where the way of streaming is misunderstood. */
export function unwrap(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
