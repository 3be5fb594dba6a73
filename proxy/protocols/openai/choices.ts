// Answers that consist of choices: chat completions and legacy completions, whole and in chunks.

import type { FrameFacts } from './stream-judge.ts';
import { isJsonObject, type JsonObject, readUsage } from './wire.ts';

/** Finishes that are failures in the shape of a success: vLLM; OpenRouter and Mistral; DeepSeek. */
const failedFinishes: ReadonlySet<string> = new Set(['abort', 'error', 'insufficient_system_resource']);

/** Whether one choice carries something that a client waits for. */
export type HasContent = (choice: JsonObject) => boolean;

/** Reads a chunk of a stream. */
export function readChoices(json: JsonObject, hasContent: HasContent): FrameFacts {
  const choices = Array.isArray(json['choices']) ? json['choices'].filter(isJsonObject) : [];
  const usage = readUsage(json['usage']) ?? readUsage(groqUsage(json));
  const finishes = choices.map((choice) => choice['finish_reason']);
  const failed = finishes.find((finish): finish is string => typeof finish === 'string' && failedFinishes.has(finish));
  const numbers = choices.map(choiceNumber);
  return {
    content: choices.some(hasContent),
    usage,
    usageOnly: usage !== undefined && choices.length === 0,
    seen: numbers,
    ended: numbers.filter((_, index) => isFinish(finishes[index])),
    filtered: finishes.includes('content_filter'),
    failure: failureOf(json, failed),
    sequence: undefined,
  };
}

/** Reads a whole answer, which has the shape of a chunk as far as this goes; or says why it is none. */
export function readWholeChoices(json: JsonObject, hasContent: HasContent): FrameFacts | string {
  const facts = readChoices(json, hasContent);
  if (facts.failure !== undefined) return facts;
  if (!Array.isArray(json['choices'])) return 'the answer has no choices';
  // Nothing said and no reason given: the upstream gave up.
  const silent = facts.ended.length === 0 && !facts.content && facts.seen.length > 0;
  return silent ? 'the answer neither says anything nor ends' : facts;
}

function failureOf(json: JsonObject, finish: string | undefined): FrameFacts['failure'] {
  if (isError(json)) return { type: 'error' };
  return finish === undefined ? undefined : { type: 'finish', reason: finish };
}

/** Whether an answer is an error object: `{error}`, or vLLM's flat form of old. */
export function isError(json: JsonObject): boolean {
  return Boolean(json['error']) || json['object'] === 'error';
}

function isFinish(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** Chunks of several choices name theirs; where there is only one, some vendors do not. */
function choiceNumber(choice: JsonObject): number {
  return typeof choice['index'] === 'number' ? choice['index'] : 0;
}

function groqUsage(json: JsonObject): unknown {
  return isJsonObject(json['x_groq']) ? json['x_groq']['usage'] : undefined;
}
