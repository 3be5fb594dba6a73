// The pass-through lane of embeddings, which are never streamed.

import { isError } from '../openai/choices.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { createPassThrough } from '../openai/pass-through.ts';
import type { FrameFacts } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject, readUsage } from '../openai/wire.ts';
import type { AnswerProtocol, PassThroughProtocol } from '../protocol.ts';
import { decodeVector, encodeVector } from './vectors.ts';

const plain = createPassThrough({ id: 'openai-embeddings', readFrame: readFacts, readAnswer: readFactsOrNone });

/** Pass-through of `openai-embeddings`. */
export const openaiEmbeddingsPassThrough: PassThroughProtocol = {
  ...plain,
  answersTo(body, { members }) {
    const encoding = members.find(({ name }) => name === 'encoding_format');
    const asked = encoding && body.toString('latin1', encoding.valueStart, encoding.valueEnd);
    return asked === '"base64"' ? inBase64 : undefined;
  },
};

/**
 * Many servers do not know base64 and answer in numbers all the same. Version 6 of the official client, which asks for
 * it unasked, takes what comes for base64 and makes nonsense of it.
 */
const inBase64: AnswerProtocol = {
  ...plain,
  rewrites: true,
  readAnswer(body, headers = {}) {
    const { json, ...reading } = readJsonAnswer(body, headers, readFactsOrNone);
    const data = json !== undefined && Array.isArray(json['data']) ? json['data'] : [];
    if (json === undefined || !data.some(isInNumbers)) return reading;
    return { ...reading, body: Buffer.from(JSON.stringify({ ...json, data: data.map(toBase64) })) };
  },
};

function isInNumbers(item: unknown): boolean {
  return isJsonObject(item) && Array.isArray(item['embedding']);
}

function toBase64(item: unknown): unknown {
  if (!isJsonObject(item)) return item;
  const vector = decodeVector(item['embedding']);
  return vector === undefined ? item : { ...item, embedding: encodeVector(vector, 'base64') };
}

function readFactsOrNone(json: JsonObject): FrameFacts | string {
  const facts = readFacts(json);
  return facts.failure === undefined && !Array.isArray(json['data']) ? 'the answer has no data' : facts;
}

function readFacts(json: JsonObject): FrameFacts {
  return {
    content: Array.isArray(json['data']) && json['data'].length > 0,
    usage: readUsage(json['usage']),
    usageOnly: false,
    seen: [],
    ended: [],
    filtered: false,
    failure: isError(json) ? { type: 'error' } : undefined,
    sequence: undefined,
  };
}
