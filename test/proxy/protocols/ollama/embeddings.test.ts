import { describe, expect, test } from 'vitest';

import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import type { EmbeddingRequest, EmbeddingResponse } from '../../../../proxy/canonical/embedding.ts';
import type { EmbeddingAnswerContext } from '../../../../proxy/protocols/embedding-codec.ts';
import {
  ollamaEmbedClientCodec,
  ollamaEmbeddingsClientCodec,
  ollamaEmbedUpstreamCodec,
} from '../../../../proxy/protocols/ollama/embed/codec.ts';
import {
  createOpenaiEmbeddingsUpstreamCodec,
  openaiEmbeddingsClientCodec,
  openaiEmbeddingsDialect,
} from '../../../../proxy/protocols/openai-embeddings/codec.ts';
import { clientOf } from '../sdk.ts';
import { answers, bytesOf, passThroughs } from './fixture.ts';
import { ollamaClientOf, sentBy } from './sdk.ts';

const headers = { 'content-type': 'application/json' };
const context: EmbeddingAnswerContext = { model: 'asked', encoding: 'float', elapsedMs: 12.5 };
const two: EmbeddingRequest = {
  model: 'm',
  inputs: [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ],
  encoding: 'float',
  metadata: {},
};

function decode(body: Buffer, inputs: number): EmbeddingResponse {
  const decoded = ollamaEmbedUpstreamCodec.decodeResponse(body, inputs);
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

describe('a request of a client', () => {
  test.each([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    ['', []],
    [[], []],
    [
      ['a', ''],
      ['a', ''],
    ],
  ])('[202] with the input %j is read', async (input, texts) => {
    const body = await sentBy((client) => client.embed({ model: 'm', input }));
    expect(ollamaEmbedClientCodec.decodeRequest(body)).toEqual({
      model: 'm',
      inputs: texts.map((text) => ({ type: 'text', text })),
      encoding: 'float',
      metadata: {},
    });
  });

  test('has what belongs to every server of this kind, and what does not', async () => {
    const asked = {
      model: 'm',
      input: 'a',
      dimensions: 256,
      truncate: false,
      keep_alive: '5m',
      options: { num_ctx: 1 },
    };
    expect(ollamaEmbedClientCodec.decodeRequest(await sentBy((client) => client.embed(asked)))).toMatchObject({
      dimensions: 256,
      truncate: false,
      metadata: { ollama: { keep_alive: '5m', options: { num_ctx: 1 } } },
    });
  });

  test('[202] of the older kind has a prompt', async () => {
    const body = await sentBy((client) => client.embeddings({ model: 'm', prompt: 'a' }));
    expect(ollamaEmbeddingsClientCodec.decodeRequest(body).inputs).toEqual([{ type: 'text', text: 'a' }]);
  });

  test.each([
    ['{"model":"m","input":[1,2]}', 'input must be a string or a list of strings.'],
    ['{"model":"m","input":{}}', 'input must be a string or a list of strings.'],
    ['{"input":"a"}', 'model must be a string.'],
    ['{"model":"m","input":"a","dimensions":"8"}', 'dimensions must be a number.'],
  ])('is refused: %s', (body, message) => {
    const read = (): unknown => ollamaEmbedClientCodec.decodeRequest(Buffer.from(body));
    expect(read).toThrow(new ClientError('invalid_request', { message }));
  });

  test('calls its parameters by their names', () => {
    expect(ollamaEmbedClientCodec.nameParameter('inputs')).toBe('input');
    expect(ollamaEmbeddingsClientCodec.nameParameter('inputs')).toBe('prompt');
    expect(ollamaEmbedClientCodec.nameParameter('dimensions')).toBe('dimensions');
  });
});

describe('an answer to a client', () => {
  const response: EmbeddingResponse = {
    model: '',
    vectors: [
      [0.5, -1],
      [2, 3],
    ],
    usage: { inputTokens: 8, outputTokens: 0 },
    metadata: {},
  };

  test('[202] is lists of numbers', async () => {
    const body = ollamaEmbedClientCodec.encodeResponse(response, context);
    await expect(ollamaClientOf({ body, headers }).client.embed({ model: 'm', input: 'a' })).resolves.toEqual({
      model: 'asked',
      embeddings: [
        [0.5, -1],
        [2, 3],
      ],
      total_duration: 12_500_000,
      load_duration: 0,
      prompt_eval_count: 8,
    });
  });

  test('[202] of the older kind is one list', async () => {
    const body = ollamaEmbeddingsClientCodec.encodeResponse(response, context);
    const { client } = ollamaClientOf({ body, headers });
    await expect(client.embeddings({ model: 'm', prompt: 'a' })).resolves.toEqual({ embedding: [0.5, -1] });
  });

  test('[202] is lists of numbers even if an upstream of OpenAI sent text', async () => {
    const body = Buffer.from(
      '{"object":"list","data":[{"index":0,"embedding":"AAAAPwAAgL8="}],"model":"e","usage":{"prompt_tokens":4}}',
    );
    const upstream = createOpenaiEmbeddingsUpstreamCodec(openaiEmbeddingsDialect);
    const decoded = upstream.decodeResponse(body, 1);
    if (decoded.type === 'invalid') throw new Error('invalid');
    const answer = ollamaEmbedClientCodec.encodeResponse(decoded.response, context);
    await expect(
      ollamaClientOf({ body: answer, headers }).client.embed({ model: 'm', input: 'a' }),
    ).resolves.toMatchObject({
      model: 'e',
      embeddings: [[0.5, -1]],
      prompt_eval_count: 4,
    });
  });
});

describe('a server', () => {
  test('is asked for all inputs at once, and for what it knows', () => {
    const request = {
      ...two,
      dimensions: 8,
      truncate: true,
      inputType: 'query',
      userId: 'u',
      encoding: 'base64' as const,
    };
    const { body, dropped } = ollamaEmbedUpstreamCodec.encodeRequest({
      ...request,
      metadata: { ollama: { keep_alive: 0 }, 'openai-embeddings': { x: 1 } },
    });
    expect(JSON.parse(body.toString())).toEqual({
      keep_alive: 0,
      model: 'm',
      input: ['a', 'b'],
      dimensions: 8,
      truncate: true,
    });
    expect(dropped).toEqual([{ name: 'inputType' }, { name: 'userId' }]);
  });

  test('[207] is asked for nothing in tokens', () => {
    const request: EmbeddingRequest = { ...two, inputs: [{ type: 'tokens', tokens: [1, 2] }] };
    expect(() => ollamaEmbedUpstreamCodec.encodeRequest(request)).toThrow(
      new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' }),
    );
  });

  test('[208] tells vectors and counts, or no counts', () => {
    expect(decode(bytesOf('embed.json'), 2)).toEqual({
      model: 'all-minilm',
      vectors: [
        [0.010071029, -0.0017594862, 0.05007221],
        [-0.0098027075, 0.06042469, 0.025257962],
      ],
      usage: { inputTokens: 8, outputTokens: 0 },
      metadata: {},
    });
    expect(decode(bytesOf('embed-counts-missing.json'), 1)).not.toHaveProperty('usage');
  });

  test.each([
    ['embed.json', 3, 'the answer has 2 vectors for 3 inputs'],
    ['embed-empty.json', 1, 'the answer has 0 vectors for 1 inputs'],
    ['embed-error.json', 1, 'the answer is an error'],
    ['embed-other.json', 1, 'the answer has no vectors'],
  ])('that answers %s to %i inputs has not answered', (name, inputs, detail) => {
    const decoded = ollamaEmbedUpstreamCodec.decodeResponse(bytesOf(name), inputs, { 'x-request-id': 'r' });
    expect(decoded).toMatchObject({
      type: 'invalid',
      signal: { type: 'invalid', detail, headers: { 'x-request-id': 'r' } },
    });
  });

  test('that answers with something else than numbers has not answered', () => {
    for (const vector of ['[1,"2"]', '"AAAA"', '[null]', '{}', '[1e999]']) {
      const body = Buffer.from(`{"embeddings":[${vector}]}`);
      expect(ollamaEmbedUpstreamCodec.decodeResponse(body, 1)).toMatchObject({ type: 'invalid' });
    }
  });

  test('is judged as in the pass-through lane', () => {
    for (const { bytes, protocol, empty } of answers) {
      if (protocol !== 'ollama-embed' || empty) continue;
      const reading = passThroughs[protocol].readAnswer(bytes);
      const inputs = (JSON.parse(bytes.toString()) as { embeddings: unknown[] }).embeddings.length;
      expect(reading.signal).toBeUndefined();
      expect(decode(bytes, inputs).usage).toEqual(reading.usage);
    }
  });

  test.each(['v6', 'v7'] as const)('[203] answers clients of OpenAI of %s, who ask for text', async (version) => {
    const { client, requests } = clientOf(version, { body: '{"data":[]}', headers });
    await client.embeddings.create({ model: 'm', input: ['a', 'b'] });
    const request = openaiEmbeddingsClientCodec.decodeRequest(Buffer.from(JSON.stringify(requests[0])));
    expect(request.encoding).toBe('base64');
    const response = decode(bytesOf('embed.json'), request.inputs.length);
    const body = openaiEmbeddingsClientCodec.encodeResponse(response, { ...context, encoding: request.encoding });
    const { data, usage } = await clientOf(version, { body, headers }).client.embeddings.create({
      model: 'm',
      input: ['a', 'b'],
    });
    expect(data.map(({ embedding }) => embedding)).toEqual(response.vectors.map((vector) => vector.map(Math.fround)));
    expect(usage).toEqual({ prompt_tokens: 8, total_tokens: 8 });
  });
});
