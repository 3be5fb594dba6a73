import { describe, expect, test } from 'vitest';

import type { EmbeddingRequest } from '../../../../proxy/canonical/embedding.ts';
import { cohereEmbeddingsUpstreamCodec as codec } from '../../../../proxy/protocols/cohere/embeddings/codec.ts';
import { splitInputs } from '../../../../proxy/protocols/embedding-batches.ts';

function request(more: Partial<EmbeddingRequest> = {}): EmbeddingRequest {
  return { model: 'embed-v4.0', inputs: [{ type: 'text', text: 'a' }], encoding: 'base64', metadata: {}, ...more };
}

function write(more: Partial<EmbeddingRequest> = {}) {
  const { body, dropped } = codec.encodeRequest(request(more));
  return { wire: JSON.parse(body.toString()) as unknown, dropped };
}

describe('a request', () => {
  test('[206] says what the vectors are for, even where the client does not', () => {
    expect(write()).toEqual({
      wire: { model: 'embed-v4.0', texts: ['a'], input_type: 'search_document', embedding_types: ['float'] },
      dropped: [],
    });
  });

  test.each([
    ['search_query', 'search_query', []],
    ['query', 'search_query', []],
    ['RETRIEVAL_QUERY', 'search_query', []],
    ['passage', 'search_document', []],
    ['clustering', 'clustering', []],
    ['toString', 'search_document', [{ name: 'inputType' }]],
  ])('[206] for %s is one for %s', (inputType, type, dropped) => {
    expect(write({ inputType })).toMatchObject({ wire: { input_type: type }, dropped });
  });

  test('may ask for a size, and for what is too long to be cut or not', () => {
    expect(write({ dimensions: 256, truncate: true, userId: 'u' })).toMatchObject({
      wire: { output_dimension: 256, truncate: 'END' },
      dropped: [{ name: 'userId' }],
    });
    expect(write({ truncate: false }).wire).toMatchObject({ truncate: 'NONE' });
  });

  test('[205] has at most 96 texts, in order', () => {
    const inputs = Array.from({ length: 250 }, (_, index) => ({ type: 'text', text: `${index}` }) as const);
    const parts = splitInputs(request({ inputs }), codec.inputsMax);
    expect(parts.map((part) => part.inputs.length)).toEqual([96, 96, 58]);
    expect(parts.flatMap((part) => part.inputs)).toEqual(inputs);
  });

  test('[207] of tokens is refused', () => {
    expect(() => codec.encodeRequest(request({ inputs: [{ type: 'tokens', tokens: [1] }] }))).toThrow('must be text');
  });
});

describe('an answer', () => {
  const read = (json: unknown, inputs = 2) => codec.decodeResponse(Buffer.from(JSON.stringify(json)), inputs);

  test('has vectors, and the tokens that are billed', () => {
    const meta = { api_version: { version: '2' }, billed_units: { input_tokens: 5 } };
    expect(read({ id: 'x', embeddings: { float: [[1], [2]] }, texts: ['a', 'b'], meta })).toEqual({
      type: 'response',
      response: { model: '', vectors: [[1], [2]], usage: { inputTokens: 5, outputTokens: 0 }, metadata: {} },
    });
    expect(read({ embeddings: [[1], [2]] })).toMatchObject({ type: 'response' });
  });

  test.each([
    [{ embeddings: { float: [[1]] } }, 'the answer has 1 vectors for 2 inputs'],
    [{ embeddings: { int8: [[1], [2]] } }, 'the answer has no vectors'],
    [{ message: 'invalid request' }, 'the answer is an error'],
  ])('that is none is invalid: %j', (json, detail) => {
    expect(read(json)).toMatchObject({ type: 'invalid', signal: { detail } });
  });
});
