// Reads whole JSON answers of the OpenAI family.

import type { SignalHeaders } from '../../canonical/failure.ts';
import type { AnswerReading } from '../protocol.ts';
import type { FrameFacts } from './stream-judge.ts';
import { isJsonObject, type JsonObject, parseJson } from './wire.ts';

/** What is kept of a body that is not an answer, for the classifier: no vendor says why later than here. */
const detailCharsMax = 64 * 1024;

/** Facts of a whole answer, or why it is none. */
export type ReadWholeAnswer = (json: JsonObject) => FrameFacts | string;

/** A whole answer that was read. */
export interface JsonAnswer extends AnswerReading {
  /** Undefined where `signal` says that it is no answer. */
  readonly json: JsonObject | undefined;
}

/** Reads one answer. Blank lines before it keep a connection open (DeepSeek) and are JSON's own white space. */
export function readJsonAnswer(body: Buffer, headers: SignalHeaders, read: ReadWholeAnswer): JsonAnswer {
  const text = body.toString('utf8').replace(/^\u{feff}/u, '');
  const invalid = (detail: string): JsonAnswer => ({
    usage: undefined,
    signal: { type: 'invalid', detail, body: text.slice(0, detailCharsMax), headers },
    empty: true,
    json: undefined,
  });
  const json = parseJson(text);
  if (json === undefined) return invalid(text.trim() === '' ? 'the answer has no body' : 'the answer is not JSON');
  if (!isJsonObject(json)) return invalid('the answer is not a JSON object');
  const facts = read(json);
  if (typeof facts === 'string') return invalid(facts);
  if (facts.failure) {
    const { failure } = facts;
    return invalid(failure.type === 'error' ? 'the answer is an error' : `the answer ended with ${failure.reason}`);
  }
  const empty = !facts.content && !facts.filtered && (facts.usage?.outputTokens ?? 0) === 0;
  return { usage: facts.usage, signal: undefined, empty, json };
}
