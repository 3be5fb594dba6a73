// `/v1/embeddings` of a stand-in. https://platform.openai.com/docs/api-reference/embeddings

import { hash } from 'node:crypto';
import { type Answer, type AnswerContext, countTokens, type JsonObject, refuse } from './answer.ts';

/** As many as one SHA-256 has values of two bytes. */
const dimensionsDefault = 16;
/** What the largest real model has. */
const dimensionsMax = 3072;
/** OpenAI's own limit. */
const inputsMax = 2048;

/** Answers with a vector for each input: the same for the same text, of length one. */
export function answerEmbeddings(request: JsonObject, { name }: AnswerContext): Answer {
  const { input, dimensions = dimensionsDefault, encoding_format: format, model } = request;
  const inputs = (Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]).map(String);
  if (input === undefined || inputs.length > inputsMax) {
    return refuse(400, 'invalid_request_error', `input must hold 1 to ${inputsMax} texts`);
  }
  if (typeof dimensions !== 'number' || dimensions < 1 || dimensions > dimensionsMax) {
    return refuse(400, 'invalid_request_error', `dimensions must be from 1 to ${dimensionsMax}`);
  }
  const data = inputs.map((text, index) => {
    const vector = embed(text, Math.floor(dimensions));
    const embedding = format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector;
    return { object: 'embedding', index, embedding };
  });
  const tokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  const named = typeof model === 'string' ? model : name;
  return { type: 'json', status: 200, body: { object: 'list', data, model: named, usage } };
}

function embed(text: string, dimensions: number): readonly number[] {
  const values: number[] = [];
  for (let block = 0; values.length < dimensions; block += 1) {
    const bytes = hash('sha256', `${block} ${text}`, 'buffer');
    for (let at = 0; at < bytes.length && values.length < dimensions; at += 2) {
      values.push(bytes.readInt16BE(at) / 32_768);
    }
  }
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}
