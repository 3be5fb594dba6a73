// What an answer or an event says of itself, for judging.

import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { FrameFacts } from '../openai/stream-judge.ts';
import { isFailedStop, isFiltered } from './stop-reason.ts';
import { objectOf, readUsage, textOf } from './wire.ts';

/** The one answer there is. */
const answer: readonly number[] = [0];

/** The blocks of a whole answer. */
export function blocksOf(json: JsonObject): readonly JsonObject[] {
  const { content } = objectOf(objectOf(json['output'])['message']);
  return Array.isArray(content) ? content.filter(isJsonObject) : [];
}

/** Reads a whole answer, or says why it is none. */
export function readWholeFacts(json: JsonObject): FrameFacts | string {
  const stop = json['stopReason'];
  if (typeof stop !== 'string' || !isJsonObject(json['output'])) return 'the answer has no message';
  return {
    content: blocksOf(json).some(blockHasContent),
    usage: readUsage(json['usage']),
    usageOnly: false,
    seen: answer,
    ended: answer,
    filtered: isFiltered(stop),
    failure: isFailedStop(stop) ? { type: 'finish', reason: stop } : undefined,
    sequence: undefined,
  };
}

/** Whether a block, or a delta of one, carries something that a client waits for. */
export function blockHasContent(block: JsonObject): boolean {
  if (block['text'] !== undefined) return textOf(block['text']) !== '';
  if (isJsonObject(block['reasoningContent'])) return thinkingHasContent(block['reasoningContent']);
  if (isJsonObject(block['toolUse'])) return block['toolUse']['input'] !== '';
  return Object.keys(block).some((name) => name !== 'citation');
}

/** In one piece, or in the members that deltas have. */
function thinkingHasContent(thinking: JsonObject): boolean {
  const { text } = { ...thinking, ...objectOf(thinking['reasoningText']) } as JsonObject;
  return textOf(text) !== '' || textOf(thinking['redactedContent']) !== '';
}
