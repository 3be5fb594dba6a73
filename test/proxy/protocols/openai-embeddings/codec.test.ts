import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import type { EmbeddingRequest, EmbeddingResponse } from '../../../../proxy/canonical/embedding.ts';
import { joinResponses, splitInputs } from '../../../../proxy/protocols/embedding-batches.ts';
import type { EmbeddingAnswerContext } from '../../../../proxy/protocols/embedding-codec.ts';
import {
  createOpenaiEmbeddingsUpstreamCodec,
  openaiEmbeddingsClientCodec,
  openaiEmbeddingsDialect,
} from '../../../../proxy/protocols/openai-embeddings/codec.ts';
import { decodeVector, encodeVector } from '../../../../proxy/protocols/openai-embeddings/vectors.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { fixtures } from '../fixture.ts';
import { clientOf } from '../sdk.ts';

const headers = { 'content-type': 'application/json' };
const context: EmbeddingAnswerContext = { model: 'asked', encoding: 'float', elapsedMs: 1 };
const upstream = createOpenaiEmbeddingsUpstreamCodec(openaiEmbeddingsDialect);
const mistral = createOpenaiEmbeddingsUpstreamCodec({
  inputsMax: 32,
  dimensionsMember: 'output_dimension',
  tokens: false,
  encoding: undefined,
});
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const vector = fc.array(float, { minLength: 1, maxLength: 8 });

function read(body: unknown): EmbeddingRequest {
  return openaiEmbeddingsClientCodec.decodeRequest(Buffer.from(JSON.stringify(body)));
}

function write(request: EmbeddingRequest, codec = upstream): unknown {
  return JSON.parse(codec.encodeRequest(request).body.toString());
}

function answer(vectors: readonly (readonly number[])[]): EmbeddingResponse {
  return { model: 'm', vectors, usage: { inputTokens: 3, outputTokens: 0 }, metadata: {} };
}

describe('a vector', () => {
  test('comes out of its text as it went in', () => {
    fc.assert(
      fc.property(vector, (values) => {
        const text = encodeVector(values, 'base64');
        expect(decodeVector(text)).toEqual(values);
        expect(decodeVector(encodeVector(values, 'float'))).toEqual(values);
      }),
    );
  });

  test('is little-endian', () => {
    expect(encodeVector([1, -2], 'base64')).toBe('AACAPwAAAMA=');
  });

  test.each([['AAAA'], ['AADAfw=='], [[1, '2']], [null], [{}], [7]])('is not %j', (value) => {
    expect(decodeVector(value)).toBeUndefined();
  });
});

describe('a request of a client', () => {
  test.each([
    ['a', [{ type: 'text', text: 'a' }]],
    [
      ['a', 'b'],
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    ],
    [[1, 2], [{ type: 'tokens', tokens: [1, 2] }]],
    [
      [[1], [2, 3]],
      [
        { type: 'tokens', tokens: [1] },
        { type: 'tokens', tokens: [2, 3] },
      ],
    ],
  ])('has the input %j', (input, inputs) => {
    expect(read({ model: 'm', input })).toEqual({ model: 'm', inputs, encoding: 'float', metadata: {} });
  });

  test('has all that there is to say', () => {
    const body = {
      model: 'm',
      input: 'a',
      dimensions: 8,
      encoding_format: 'base64',
      user: 'u',
      input_type: 'query',
      x: 1,
    };
    const request = read(body);
    expect(request).toMatchObject({
      dimensions: 8,
      encoding: 'base64',
      userId: 'u',
      inputType: 'query',
      metadata: { 'openai-embeddings': { x: 1 } },
    });
    expect(write(request)).toEqual({ ...body, input: ['a'] });
  });

  test.each([
    [{ input: [] }, 'input must be a string or a list.'],
    [{}, 'input must be a string or a list.'],
    [{ input: ['a', 1] }, 'input must have nothing but strings, or nothing but tokens.'],
    [{ input: [[1], []] }, 'input must have nothing but strings, or nothing but tokens.'],
    [{ input: [1.5] }, 'input must have nothing but strings, or nothing but tokens.'],
    [{ input: 'a', encoding_format: 'int8' }, 'encoding_format must be float or base64.'],
    [{ input: 'a', model: undefined }, 'model must be a string.'],
  ])('is refused with %j', (members, message) => {
    expect(() => read({ model: 'm', ...members })).toThrow(new ClientError('invalid_request', { message }));
  });

  test('that is no JSON is refused', () => {
    const body = Buffer.from('{');
    expect(() => openaiEmbeddingsClientCodec.decodeRequest(body)).toThrow(new ClientError('invalid_json'));
  });

  test('calls its parameters by their names', () => {
    const names = ['inputs', 'encoding', 'inputType', 'userId', 'dimensions'];
    expect(names.map((name) => openaiEmbeddingsClientCodec.nameParameter(name))).toEqual([
      'input',
      'encoding_format',
      'input_type',
      'user',
      'dimensions',
    ]);
  });
});

describe('a request to a server', () => {
  test('[207] has tokens only where they mean something', () => {
    const request = read({ model: 'm', input: [[1], [2]] });
    expect(write(request)).toMatchObject({ input: [[1], [2]] });
    expect(() => write(request, mistral)).toThrow('input must be text: this model takes no tokens.');
  });

  test('has the names that a vendor gives', () => {
    const request = { ...read({ model: 'm', input: 'a', dimensions: 8 }), truncate: true };
    expect(write(request, mistral)).toEqual({ model: 'm', input: ['a'], output_dimension: 8 });
    expect(mistral.encodeRequest(request).dropped).toEqual([{ name: 'truncate' }]);
    expect(mistral.inputsMax).toBe(32);
  });
});

describe('an answer', () => {
  const embeddings = fixtures.filter(({ protocol, empty }) => protocol === 'openai-embeddings' && !empty);

  test.each(embeddings)('$name is judged as in the pass-through lane', ({ bytes, signal }) => {
    const reading = protocols['openai-embeddings'].passThrough.readAnswer(bytes);
    const decoded = upstream.decodeResponse(bytes, 1);
    expect(decoded.type).toBe(signal === undefined ? 'response' : 'invalid');
    if (decoded.type === 'response') expect(decoded.response.usage).toEqual(reading.usage);
  });

  test('is put in the order of the inputs', () => {
    const data = [{ index: 1, embedding: [2] }, { index: 0, embedding: [1] }, { embedding: [3] }];
    const body = Buffer.from(JSON.stringify({ object: 'list', data, model: 'e', x_new: 1 }));
    expect(upstream.decodeResponse(body, 3)).toEqual({
      type: 'response',
      response: { model: 'e', vectors: [[1], [2], [3]], metadata: { 'openai-embeddings': { x_new: 1 } } },
    });
  });

  test.each([
    ['{"data":[{"embedding":[1]}]}', 2, 'the answer has 1 vectors for 2 inputs'],
    ['{"data":[{"embedding":"AAAA"}]}', 1, 'the answer has a vector that is none'],
    ['{"data":[]}', 1, 'the answer has 0 vectors for 1 inputs'],
    ['{"error":{"message":"no"}}', 1, 'the answer is an error'],
    ['{"object":"list"}', 1, 'the answer has no vectors'],
    ['<html>', 1, 'the answer is not JSON'],
  ])('%s to %i inputs is none', (body, inputs, detail) => {
    expect(upstream.decodeResponse(Buffer.from(body), inputs)).toMatchObject({ signal: { type: 'invalid', detail } });
  });

  test.each(['v6', 'v7'] as const)('[203] is right for %s, which asks for text and reads numbers', async (version) => {
    await fc.assert(
      fc.asyncProperty(fc.array(vector, { minLength: 1, maxLength: 3 }), async (vectors) => {
        // What an upstream that knows nothing but lists would say.
        const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }));
        const decoded = upstream.decodeResponse(Buffer.from(JSON.stringify({ data, model: 'e' })), vectors.length);
        if (decoded.type === 'invalid') throw new Error('invalid');
        const body = openaiEmbeddingsClientCodec.encodeResponse(decoded.response, { ...context, encoding: 'base64' });
        const { client, requests } = clientOf(version, { body, headers });
        const list = await client.embeddings.create({ model: 'm', input: 'a' });
        expect(requests[0]).toMatchObject({ encoding_format: 'base64' });
        // JSON has no negative zero.
        expect(list.data.map(({ embedding }) => embedding)).toEqual(JSON.parse(JSON.stringify(vectors)));
      }),
      { numRuns: 50 },
    );
  });

  test.each(['v6', 'v7'] as const)('[204] [208] is lists for %s where lists were asked for', async (version) => {
    const body = openaiEmbeddingsClientCodec.encodeResponse(answer([[0.25, 1]]), context);
    const { client } = clientOf(version, { body, headers });
    await expect(client.embeddings.create({ model: 'm', input: 'a', encoding_format: 'float' })).resolves.toEqual({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.25, 1] }],
      model: 'm',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
  });

  test('[208] has counts and a model whoever answered', () => {
    const { usage: _, ...uncounted } = answer([[1]]);
    const wire = JSON.parse(
      openaiEmbeddingsClientCodec.encodeResponse({ ...uncounted, model: '' }, context).toString(),
    ) as unknown;
    expect(wire).toMatchObject({ model: 'asked', usage: { prompt_tokens: 0, total_tokens: 0 } });
  });
});

describe('[205] more inputs than an upstream takes', () => {
  const inputs = Array.from({ length: 250 }, (_, index) => ({ type: 'text' as const, text: String(index) }));
  const request: EmbeddingRequest = { model: 'm', inputs, encoding: 'float', metadata: {} };

  test.each([
    [100, [100, 100, 50]],
    [96, [96, 96, 58]],
    [250, [250]],
    [2048, [250]],
  ])('are asked for %i at a time', (inputsMax, sizes) => {
    expect(splitInputs(request, inputsMax).map((part) => part.inputs.length)).toEqual(sizes);
  });

  test('are asked for one by one, and are answered in their order', () => {
    const parts = splitInputs(request, 1);
    expect(parts).toHaveLength(250);
    const responses = parts.map((part) => {
      const [input] = part.inputs;
      return answer([[Number(input?.type === 'text' ? input.text : Number.NaN)]]);
    });
    const joined = joinResponses(responses);
    expect(joined.vectors.map(([value]) => value)).toEqual(inputs.map((_, index) => index));
    expect(joined.usage).toEqual({ inputTokens: 750, outputTokens: 0 });
  });

  test('are counted only where every part is', () => {
    const { usage: _, ...uncounted } = answer([[1]]);
    expect(joinResponses([answer([[1]]), uncounted])).not.toHaveProperty('usage');
    const estimated = { ...answer([[1]]), usage: { inputTokens: 2, outputTokens: 0, estimated: true } };
    expect(joinResponses([answer([[1]]), estimated]).usage).toEqual({
      inputTokens: 5,
      outputTokens: 0,
      estimated: true,
    });
    expect(() => joinResponses([])).toThrow('there is no answer to join');
  });
});
