// What a line of a stream, or a whole answer, is to the relay: the same for chat and generate.

import type { FrameFacts } from '../openai/stream-judge.ts';
import type { JsonObject } from '../openai/wire.ts';
import { hasContent, isFailure, noTokens, readCounts } from './wire.ts';

/** Reads the JSON of one line. */
export function readFacts(json: JsonObject): FrameFacts {
  const done = json['done'] === true;
  const reason = json['done_reason'];
  return {
    content: hasContent(json),
    usage: readCounts(json),
    usageOnly: false,
    seen: [0],
    ended: done ? [0] : [],
    // Asked for nothing, the server loads or unloads the model: an answer that is empty, and no failure.
    filtered: reason === 'load' || reason === 'unload',
    failure: isFailure(json) ? { type: 'error' } : undefined,
    sequence: undefined,
  };
}

/** Reads a whole answer, or says why it is none. Some servers leave `done` out. */
export function readWholeFacts(json: JsonObject): FrameFacts | string {
  const facts = readFacts(json);
  if (facts.failure !== undefined) return facts;
  if (json['done'] === false) return 'the answer is not complete';
  if (facts.ended.length === 0 && !facts.content) return 'the answer neither says anything nor ends';
  return { ...facts, usage: facts.usage ?? noTokens };
}
