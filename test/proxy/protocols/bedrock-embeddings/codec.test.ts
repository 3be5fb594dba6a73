import { describe, expect, test } from 'vitest';

import type { EmbeddingRequest } from '../../../../proxy/canonical/embedding.ts';
import { bedrockEmbeddingsUpstream } from '../../../../proxy/protocols/bedrock-embeddings/codec.ts';
import { joinResponses, splitInputs } from '../../../../proxy/protocols/embedding-batches.ts';

const plain: EmbeddingRequest = {
  model: 'm',
  inputs: [{ type: 'text', text: 'a' }],
  encoding: 'float',
  metadata: {},
};
const rich = { ...plain, dimensions: 256, inputType: 'query', truncate: false, userId: 'u' } as const;

function write(dialect: string, request: EmbeddingRequest): { wire: unknown; dropped: readonly string[] } {
  const { body, dropped } = bedrockEmbeddingsUpstream(dialect).encodeRequest(request);
  return { wire: JSON.parse(body.toString()), dropped: dropped.map(({ name }) => name) };
}

function read(dialect: string, body: object, inputs = 1, headers = {}): unknown {
  return bedrockEmbeddingsUpstream(dialect).decodeResponse(Buffer.from(JSON.stringify(body)), inputs, headers);
}

describe('a request for vectors', () => {
  test('[205] asks Titan for one, and says what it cannot be told', () => {
    expect(write('titan', plain)).toEqual({ wire: { inputText: 'a' }, dropped: [] });
    expect(write('titan', rich)).toEqual({
      wire: { inputText: 'a', dimensions: 256 },
      dropped: ['inputType', 'userId'],
    });
    expect(write('titan', { ...rich, truncate: true }).dropped).toContain('truncate');
  });

  test('asks Nova for one, and what it is for', () => {
    const params = { embeddingPurpose: 'GENERIC_INDEX', text: { truncationMode: 'END', value: 'a' } };
    expect(write('nova', plain).wire).toEqual({ taskType: 'SINGLE_EMBEDDING', singleEmbeddingParams: params });
    expect(write('nova', rich)).toEqual({
      wire: {
        taskType: 'SINGLE_EMBEDDING',
        singleEmbeddingParams: {
          embeddingPurpose: 'GENERIC_RETRIEVAL',
          embeddingDimension: 256,
          text: { truncationMode: 'NONE', value: 'a' },
        },
      },
      dropped: ['userId'],
    });
  });

  test('[206] asks Cohere for many, and always what they are for', () => {
    expect(write('cohere', plain).wire).toEqual({
      texts: ['a'],
      input_type: 'search_document',
      embedding_types: ['float'],
    });
    expect(write('cohere', rich)).toEqual({
      wire: {
        texts: ['a'],
        input_type: 'search_query',
        embedding_types: ['float'],
        output_dimension: 256,
        truncate: 'NONE',
      },
      dropped: ['userId'],
    });
    expect(write('cohere', { ...plain, inputType: 'other' }).dropped).toEqual(['inputType']);
  });

  test.each(['titan', 'nova', 'cohere'])('[207] of tokens is refused for %s', (dialect) => {
    expect(() => write(dialect, { ...plain, inputs: [{ type: 'tokens', tokens: [1] }] })).toThrow('takes no tokens');
  });

  test('is of no other vendor', () => {
    expect(() => bedrockEmbeddingsUpstream('x')).toThrow('no dialect x');
  });
});

describe('an answer with vectors', () => {
  test.each([
    ['titan', { embedding: [1, 2], inputTextTokenCount: 3 }, {}],
    ['titan', { embeddingsByType: { float: [1, 2] }, inputTextTokenCount: 3 }, {}],
    [
      'nova',
      { embeddings: [{ embeddingType: 'TEXT', embedding: [1, 2] }] },
      { 'x-amzn-bedrock-input-token-count': '3' },
    ],
    ['cohere', { embeddings: { float: [[1, 2]] } }, { 'x-amzn-bedrock-input-token-count': '3' }],
    ['cohere', { embeddings: [[1, 2]] }, { 'x-amzn-bedrock-input-token-count': '3' }],
  ])('[208] of %s is read with its usage', (dialect, body, headers) => {
    expect(read(dialect, body, 1, headers)).toMatchObject({
      type: 'response',
      response: { vectors: [[1, 2]], usage: { inputTokens: 3, outputTokens: 0 } },
    });
  });

  test('has no usage where nobody counts', () => {
    expect(read('cohere', { embeddings: [[1]] })).toEqual({
      type: 'response',
      response: { model: '', vectors: [[1]], metadata: {} },
    });
  });

  test.each([
    ['titan', {}],
    ['titan', { message: 'no' }],
    ['nova', { embeddings: [{}] }],
    ['nova', { embeddings: 1 }],
    ['cohere', { embeddings: { int8: [[1]] } }],
    ['cohere', { embeddings: [[1], [2]] }],
  ])('of %s that is none is invalid: %j', (dialect, body) => {
    expect(read(dialect, body)).toMatchObject({ type: 'invalid' });
  });

  test('[205] of Titan comes one by one, and is put together in order', () => {
    const codec = bedrockEmbeddingsUpstream('titan');
    const inputs = Array.from({ length: 5 }, (_, index) => ({ type: 'text' as const, text: String(index) }));
    const parts = splitInputs({ ...plain, inputs }, codec.inputsMax);
    const answers = parts.map((part, index) => {
      expect(JSON.parse(codec.encodeRequest(part).body.toString())).toEqual({ inputText: String(index) });
      const decoded = codec.decodeResponse(
        Buffer.from(JSON.stringify({ embedding: [index], inputTextTokenCount: 2 })),
        1,
      );
      if (decoded.type !== 'response') throw new Error('no answer');
      return decoded.response;
    });
    expect(joinResponses(answers)).toMatchObject({
      vectors: [[0], [1], [2], [3], [4]],
      usage: { inputTokens: 10 },
    });
  });
});
