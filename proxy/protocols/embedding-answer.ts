// Reads whole answers with vectors, whatever the protocol: JSON that is no error, with one vector for each input.

import type { EmbeddingResponse, Vector } from '../canonical/embedding.ts';
import type { SignalHeaders } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';
import type { DecodedEmbeddings } from './embedding-codec.ts';
import { readJsonAnswer } from './openai/json-answer.ts';
import type { FrameFacts } from './openai/stream-judge.ts';
import type { JsonObject } from './openai/wire.ts';

/** What the JSON of an answer says. */
export interface EmbeddingFacts {
  /** What should be vectors; undefined if the answer does not have the member that holds them. */
  readonly vectors: readonly unknown[] | undefined;
  readonly usage: Usage | undefined;
  /** Whether the answer is an error object. */
  readonly failed: boolean;
}

/** The facts of a whole answer as the pass-through lane judges it, or why it is none. */
export function toAnswerFacts({ vectors, usage, failed }: EmbeddingFacts): FrameFacts | string {
  if (vectors === undefined && !failed) return 'the answer has no vectors';
  return {
    content: (vectors ?? []).length > 0,
    usage,
    usageOnly: false,
    seen: [],
    ended: [],
    filtered: false,
    failure: failed ? { type: 'error' } : undefined,
    sequence: undefined,
  };
}

/** How one protocol writes its answers. */
export interface EmbeddingReading {
  readonly read: (json: JsonObject) => EmbeddingFacts;
  readonly decodeVector: (value: unknown) => Vector | undefined;
  /** Members that have no counterpart in the canonical model. */
  readonly metadata: (json: JsonObject) => EmbeddingResponse['metadata'];
}

/** Decodes an answer to a request of so many inputs. */
export function decodeEmbeddings(
  body: Buffer,
  inputs: number,
  headers: SignalHeaders,
  { read, decodeVector, metadata }: EmbeddingReading,
): DecodedEmbeddings {
  const { json, usage, signal } = readJsonAnswer(body, headers, (answer) => toAnswerFacts(read(answer)));
  const invalid = (detail: string): DecodedEmbeddings => {
    return { type: 'invalid', signal: { type: 'invalid', detail, body: '', headers } };
  };
  if (signal !== undefined) return { type: 'invalid', signal };
  if (json === undefined) return invalid('the answer has no body');
  const vectors = (read(json).vectors ?? []).map(decodeVector);
  if (!vectors.every((vector) => vector !== undefined)) return invalid('the answer has a vector that is none');
  if (vectors.length !== inputs) return invalid(`the answer has ${vectors.length} vectors for ${inputs} inputs`);
  const { model } = json;
  const name = typeof model === 'string' ? model : '';
  return { type: 'response', response: { model: name, vectors, ...(usage && { usage }), metadata: metadata(json) } };
}

/** Whether a value is a vector as a list of numbers. */
export function isVector(value: unknown): value is Vector {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}
