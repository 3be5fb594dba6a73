// What an answer, or one chunk of it, says of the answer as a whole.

import type { FrameFacts } from '../openai/stream-judge.ts';
import type { JsonObject } from '../openai/wire.ts';
import { finishReasonOf, isFailedFinish, isFiltered } from './finish.ts';
import { blockReasonOf, candidateNumber, candidatesOf, isError, partHasContent, partsOf, readUsage } from './wire.ts';

/** Reads a chunk. */
export function readFacts(json: JsonObject): FrameFacts {
  const candidates = candidatesOf(json);
  const usage = readUsage(json['usageMetadata']);
  const ended = candidates.filter((candidate) => finishReasonOf(candidate) !== undefined);
  // A prompt that was blocked has no candidate that could end.
  const blocked = candidates.length === 0 && blockReasonOf(json) !== undefined ? [0] : [];
  return {
    content: candidates.some((candidate) => partsOf(candidate).some(partHasContent)),
    usage,
    usageOnly: false,
    seen: [...candidates.map(candidateNumber), ...blocked],
    ended: [...ended.map(candidateNumber), ...blocked],
    filtered: isFiltered(json),
    failure: failureOf(json, candidates),
    sequence: undefined,
  };
}

/** Reads a whole answer, or says why it is none. */
export function readWholeFacts(json: JsonObject): FrameFacts | string {
  const facts = readFacts(json);
  if (facts.failure !== undefined) return facts;
  if (facts.seen.length === 0) return 'the answer has no candidates';
  const silent = facts.ended.length === 0 && !facts.content;
  return silent ? 'the answer neither says anything nor ends' : facts;
}

function failureOf(json: JsonObject, candidates: readonly JsonObject[]): FrameFacts['failure'] {
  if (isError(json)) return { type: 'error' };
  const reason = candidates.map(finishReasonOf).find((finish) => finish !== undefined && isFailedFinish(finish));
  return reason === undefined ? undefined : { type: 'finish', reason };
}
