import { describe, expect, test } from 'vitest';

import type { EmbeddingRequest } from '../../../../proxy/canonical/embedding.ts';
import { splitInputs } from '../../../../proxy/protocols/embedding-batches.ts';
import { geminiEmbeddingsUpstream } from '../../../../proxy/protocols/gemini/embeddings/codec.ts';

const gemini = geminiEmbeddingsUpstream();
const vertex = geminiEmbeddingsUpstream('vertex');

function request(more: Partial<EmbeddingRequest> = {}): EmbeddingRequest {
  const inputs = [{ type: 'text', text: 'a' } as const, { type: 'text', text: 'b' } as const];
  return { model: 'gemini-embedding-001', inputs, encoding: 'float', metadata: {}, ...more };
}

function write(codec: typeof gemini, more: Partial<EmbeddingRequest> = {}) {
  const { body, dropped } = codec.encodeRequest(request(more));
  return { wire: JSON.parse(body.toString()) as unknown, dropped };
}

function read(codec: typeof gemini, json: unknown, inputs = 2) {
  return codec.decodeResponse(Buffer.from(JSON.stringify(json)), inputs);
}

describe('a request', () => {
  test('has one part for each text at Gemini', () => {
    const more = { dimensions: 256, inputType: 'search_query', userId: 'u', truncate: false };
    const { wire, dropped } = write(gemini, more);
    const part = (text: string) => ({
      model: 'models/gemini-embedding-001',
      content: { parts: [{ text }] },
      taskType: 'RETRIEVAL_QUERY',
      outputDimensionality: 256,
    });
    expect(wire).toEqual({ requests: [part('a'), part('b')] });
    expect(dropped).toEqual([{ name: 'userId' }, { name: 'truncate' }]);
    expect(write(gemini).wire).toEqual({
      requests: [
        { model: 'models/gemini-embedding-001', content: { parts: [{ text: 'a' }] } },
        { model: 'models/gemini-embedding-001', content: { parts: [{ text: 'b' }] } },
      ],
    });
  });

  test('has instances at Vertex', () => {
    const { wire, dropped } = write(vertex, { dimensions: 256, inputType: 'CLUSTERING', truncate: false });
    expect(wire).toEqual({
      instances: [
        { content: 'a', task_type: 'CLUSTERING' },
        { content: 'b', task_type: 'CLUSTERING' },
      ],
      parameters: { outputDimensionality: 256, autoTruncate: false },
    });
    expect(dropped).toEqual([]);
    expect(write(vertex).wire).toEqual({ instances: [{ content: 'a' }, { content: 'b' }] });
  });

  test('for a purpose that nobody knows is reported', () => {
    for (const codec of [gemini, vertex]) {
      expect(write(codec, { inputType: 'toString' }).dropped).toEqual([{ name: 'inputType' }]);
    }
  });

  test('[205] is split in the order of its inputs', () => {
    const inputs = Array.from({ length: 250 }, (_, index) => ({ type: 'text', text: `${index}` }) as const);
    const sizes = (codec: typeof gemini) =>
      splitInputs(request({ inputs }), codec.inputsMax).map((part) => part.inputs.length);
    expect(sizes(gemini)).toEqual([100, 100, 50]);
    expect(sizes(vertex)).toEqual([250]);
    expect(sizes(geminiEmbeddingsUpstream('vertex-single'))).toHaveLength(250);
  });

  test('[207] of tokens is refused', () => {
    for (const codec of [gemini, vertex]) {
      expect(() => codec.encodeRequest(request({ inputs: [{ type: 'tokens', tokens: [1] }] }))).toThrow('must be text');
    }
  });
});

describe('an answer', () => {
  test('of Gemini has vectors, and tokens where it counts them', () => {
    const embeddings = [{ values: [1, 2] }, { values: [3, 4] }];
    expect(read(gemini, { embeddings })).toEqual({
      type: 'response',
      response: {
        model: '',
        vectors: [
          [1, 2],
          [3, 4],
        ],
        metadata: {},
      },
    });
    expect(read(gemini, { embeddings, usageMetadata: { promptTokenCount: 5 } })).toMatchObject({
      response: { usage: { inputTokens: 5, outputTokens: 0 } },
    });
  });

  test('of Vertex has vectors, and the tokens of all of them', () => {
    const prediction = (values: readonly number[], count?: number) => ({
      embeddings: { values, ...(count !== undefined && { statistics: { token_count: count, truncated: false } }) },
    });
    expect(read(vertex, { predictions: [prediction([1], 3), prediction([2], 4)] })).toEqual({
      type: 'response',
      response: { model: '', vectors: [[1], [2]], usage: { inputTokens: 7, outputTokens: 0 }, metadata: {} },
    });
    const partly = read(vertex, { predictions: [prediction([1], 3), prediction([2])] });
    expect(partly.type === 'response' && partly.response.usage).toBeUndefined();
  });

  test.each([
    [gemini, { embeddings: [{ values: [1] }] }, 'the answer has 1 vectors for 2 inputs'],
    [gemini, { embeddings: [{ values: [1] }, {}] }, 'the answer has a vector that is none'],
    [gemini, {}, 'the answer has no vectors'],
    [gemini, { error: { code: 400 } }, 'the answer is an error'],
    [vertex, { predictions: [{}, null] }, 'the answer has a vector that is none'],
    [vertex, { error: { code: 400 } }, 'the answer is an error'],
  ])('that is none is invalid: %#', (codec, json, detail) => {
    expect(read(codec, json)).toMatchObject({ type: 'invalid', signal: { detail } });
  });
});

test('a service that nobody knows is a mistake of the configuration', () => {
  expect(() => geminiEmbeddingsUpstream('palm')).toThrow('no dialect palm');
});
