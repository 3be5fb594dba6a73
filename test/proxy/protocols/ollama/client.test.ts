import { describe, expect, test } from 'vitest';

import { ClientError, type ErrorCode, errorCatalogue } from '../../../../proxy/canonical/client-error.ts';
import {
  ollamaChatClient,
  ollamaEmbedClient,
  ollamaEmbeddingsClient,
  ollamaGenerateClient,
} from '../../../../proxy/protocols/ollama/client.ts';
import { answerEmbedHere, answerEmbeddingsHere } from '../../../../proxy/protocols/ollama/embed/codec.ts';
import { ollamaLocalOperations } from '../../../../proxy/protocols/ollama/listing.ts';
import { answerChatHere, answerGenerateHere } from '../../../../proxy/protocols/ollama/load-answer.ts';
import type { ClientProtocol, ListedModel } from '../../../../proxy/protocols/protocol.ts';
import { bytesOf } from './fixture.ts';
import { ollamaClientOf, sentBy } from './sdk.ts';

const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const clients = [ollamaChatClient, ollamaGenerateClient, ollamaEmbedClient, ollamaEmbeddingsClient];
const json = { 'content-type': 'application/json' };

describe('peek', () => {
  function peek(client: ClientProtocol, body: string): unknown {
    const { members: _, ...rest } = client.peek(Buffer.from(body));
    return rest;
  }

  test.each([
    ['{"model":"m"}', true],
    ['{"model":"m","stream":null}', true],
    ['{"model":"m","stream": true }', true],
    ['{"model":"m","stream": false }', false],
  ])('[189] %s streams: %s', (body, stream) => {
    for (const client of [ollamaChatClient, ollamaGenerateClient]) {
      expect(peek(client, body)).toEqual({ model: 'm', stream, wantsUsage: true, usageEdit: undefined });
    }
  });

  test('takes vectors for answers that are never streamed', () => {
    for (const client of [ollamaEmbedClient, ollamaEmbeddingsClient]) {
      expect(peek(client, '{"model":"m"}')).toMatchObject({ model: 'm', stream: false });
    }
  });

  test('what the official client sends is not streamed unless it is asked to', async () => {
    const whole = await sentBy((client) => client.chat({ ...ask }));
    const streamed = await sentBy((client) => client.chat({ ...ask, stream: true }));
    expect(ollamaChatClient.peek(whole).stream).toBe(false);
    expect(ollamaChatClient.peek(streamed).stream).toBe(true);
  });

  test.each(['{"model":"m","stream":"yes"}', '{"model":7}', '{"model":"a","Model":"b"}', '[]', '{'])(
    'refuses %s',
    (body) => {
      expect(() => peek(ollamaChatClient, body)).toThrow(ClientError);
    },
  );
});

describe('an error before content', () => {
  test.each(Object.keys(errorCatalogue) as ErrorCode[])('%s is what the official client expects', async (code) => {
    const error = new ClientError(code, { retryAfterMs: 1500 });
    for (const face of clients) {
      const encoded = face.encodeError(error, 'req-1');
      expect(JSON.parse(encoded.body.toString())).toEqual({ error: errorCatalogue[code].message });
      expect(encoded.headers).toMatchObject({ ...json, 'x-request-id': 'req-1', 'retry-after': '2' });
      const { client } = ollamaClientOf(encoded);
      const failure = { name: 'ResponseError', status_code: error.status, error: errorCatalogue[code].message };
      await expect(client.chat({ ...ask })).rejects.toMatchObject(failure);
      await expect(client.chat({ ...ask, stream: true })).rejects.toMatchObject(failure);
    }
  });

  test.each(['model_not_found', 'route_not_found'] as const)('[197] %s names the model', async (code) => {
    const encoded = ollamaChatClient.encodeError(new ClientError(code), 'r', "l'ama:7b");
    await expect(ollamaClientOf(encoded).client.show({ model: "l'ama:7b" })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'l'ama:7b' not found",
    });
  });

  test("keeps an upstream's own words about the client's fault", () => {
    const words = `"llama3.2" does not support thinking`;
    const upstream = { status: 400, message: words, code: undefined, type: undefined, param: undefined };
    const encoded = ollamaChatClient.encodeError(new ClientError('invalid_request', { upstream }), 'r', 'm');
    expect(encoded.status).toBe(400);
    expect(JSON.parse(encoded.body.toString())).toEqual({ error: words });
  });
});

describe('an error after content', () => {
  const truncated = new ClientError('stream_truncated');

  test('[196] is a line that makes the iterator throw, and what came before is delivered', async () => {
    const inBand = ollamaChatClient.encodeInBandError(truncated, 'r')!;
    expect(inBand.toString()).toBe(`${JSON.stringify({ error: truncated.message })}\n`);
    for (const chunkBytes of [1, 50, 5000]) {
      const { client } = ollamaClientOf({ body: Buffer.concat([bytesOf('chat-cut.ndjson'), inBand]), chunkBytes });
      let text = '';
      await expect(async () => {
        for await (const part of await client.chat({ ...ask, stream: true })) text += part.message.content;
      }).rejects.toThrow(truncated.message);
      expect(text).toBe('Half');
    }
  });

  test('the error line of a server makes it throw too', async () => {
    const { client } = ollamaClientOf({ body: bytesOf('generate-error.ndjson') });
    await expect(async () => {
      for await (const _ of await client.generate({ model: 'm', prompt: 'p', stream: true }));
    }).rejects.toThrow('an error was encountered while running the model');
  });
});

test('streams are lines, and nothing keeps them open', () => {
  for (const client of clients) {
    expect(client.streamType).toBe('application/x-ndjson');
    expect(client.keepAlive).toBeUndefined();
  }
});

describe('[198] the listing of models', () => {
  const models: readonly ListedModel[] = [
    { id: 'llama3.2', createdAt: 1_700_000_000 },
    {
      id: 'team/o5',
      createdAt: 1_700_000_001,
      capabilities: ['Vision', 'JSONSchema', 'Reasoning'],
      maxContextTokens: 8192,
    },
  ];

  function local(path: string, body = ''): Buffer {
    const operation = ollamaLocalOperations.find((candidate) => candidate.path === path);
    if (operation === undefined) throw new Error(path);
    const request = { query: new URLSearchParams(), body: Buffer.from(body), id: undefined, models: () => models };
    return operation.answer(request).body;
  }

  test('is what the official client expects', async () => {
    const { models: listed } = await ollamaClientOf({ body: local('/api/tags'), headers: json }).client.list();
    expect(listed).toMatchObject([
      {
        name: 'llama3.2',
        model: 'llama3.2',
        modified_at: '2023-11-14T22:13:20.000Z',
        capabilities: ['completion', 'tools'],
      },
      { name: 'team/o5', capabilities: ['completion', 'vision', 'thinking'] },
    ]);
    expect(listed.every(({ digest }) => /^[\da-f]{64}$/.test(digest))).toBe(true);
    const { models: running } = await ollamaClientOf({ body: local('/api/ps'), headers: json }).client.ps();
    expect(running).toMatchObject([
      { name: 'llama3.2', expires_at: '2318-01-01T00:00:00Z', size_vram: 0, context_length: 0 },
      { name: 'team/o5', context_length: 8192 },
    ]);
  });

  test('tells of one model what editors look for', async () => {
    const show = (model: string): Promise<unknown> => {
      const body = local('/api/show', JSON.stringify({ model }));
      return ollamaClientOf({ body, headers: json }).client.show({ model });
    };
    await expect(show('team/o5')).resolves.toMatchObject({
      capabilities: ['completion', 'vision', 'thinking'],
      model_info: { 'general.architecture': 'sluice', 'general.basename': 'team/o5', 'sluice.context_length': 8192 },
    });
    await expect(show('llama3.2')).resolves.toMatchObject({
      capabilities: ['completion', 'tools'],
      model_info: { 'general.architecture': 'sluice' },
    });
  });

  test('of a model is asked for by either of its names', async () => {
    const asked = await sentBy((client) => client.show({ model: 'llama3.2' }));
    expect(local('/api/show', asked.toString())).toEqual(local('/api/show', '{"name":"llama3.2"}'));
  });

  test.each([
    ['{"model":"x"}', new ClientError('model_not_found', { message: "model 'x' not found" })],
    ['{}', new ClientError('invalid_request', { message: 'name must be a string.' })],
    ['{', new ClientError('invalid_json')],
  ])('has no answer to %s', (body, error) => {
    expect(() => local('/api/show', body)).toThrow(error);
  });

  test('the version is numbers', async () => {
    const { version } = await ollamaClientOf({ body: local('/api/version'), headers: json }).client.version();
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('[199] the server says that it is there', () => {
    expect(local('/').toString()).toBe('Ollama is running');
  });

  test('[199] is answered to the methods that the server takes', () => {
    expect(ollamaLocalOperations.map(({ path, methods }) => [path, methods.join(' ')])).toEqual([
      ['/', 'GET HEAD'],
      ['/api/version', 'GET HEAD'],
      ['/api/tags', 'GET HEAD'],
      ['/api/ps', 'GET'],
      ['/api/show', 'POST'],
    ]);
  });
});

describe('[201] a request with nothing to answer', () => {
  const nowMs = Date.parse('2024-09-12T21:17:29.110Z');

  test.each([
    ['{"model":"m"}', 'load'],
    ['{"model":"m","messages":[ \n]}', 'load'],
    ['{"model":"m","messages":null,"keep_alive":"5m"}', 'load'],
    ['{"model":"m","messages":[],"keep_alive":0}', 'unload'],
    ['{"model":"m","messages":[],"keep_alive":"0s"}', 'unload'],
    ['{"model":"m","messages":[],"keep_alive":-1}', 'load'],
  ])('in chat: %s is answered with %s', (body, reason) => {
    expect(answerChatHere(Buffer.from(body), nowMs)?.toString()).toBe(
      `{"model":"m","created_at":"2024-09-12T21:17:29.110Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"${reason}"}`,
    );
  });

  test.each([
    ['{"model":"m"}', 'load'],
    ['{"model":"m","prompt":""}', 'load'],
    ['{"model":"m","prompt":"","keep_alive":0}', 'unload'],
  ])('in generate: %s is answered with %s', (body, reason) => {
    expect(answerGenerateHere(Buffer.from(body), nowMs)?.toString()).toBe(
      `{"model":"m","created_at":"2024-09-12T21:17:29.110Z","response":"","done":true,"done_reason":"${reason}"}`,
    );
  });

  test.each([
    '{"model":"m","messages":[{"role":"user","content":""}]}',
    '{"messages":[]}',
    '{"model":"m","messages":{}}',
    '{',
  ])('is not this one in chat: %s', (body) => {
    expect(answerChatHere(Buffer.from(body), nowMs)).toBeUndefined();
  });

  test('is not one with a prompt', async () => {
    expect(answerGenerateHere(await sentBy((client) => client.generate({ model: 'm', prompt: 'p' })))).toBeUndefined();
  });

  test('among vectors has none', () => {
    expect(answerEmbedHere(Buffer.from('{"model":"m","input":""}'))?.toString()).toBe(
      '{"model":"m","embeddings":[],"total_duration":1,"load_duration":0,"prompt_eval_count":0}',
    );
    expect(answerEmbedHere(Buffer.from('{"model":"m","input":["a"]}'))).toBeUndefined();
    expect(answerEmbeddingsHere(Buffer.from('{"model":"m","prompt":""}'))?.toString()).toBe('{"embedding":[]}');
    expect(answerEmbeddingsHere(Buffer.from('{"model":"m","prompt":"p"}'))).toBeUndefined();
  });

  test('satisfies the official client even if it wanted a stream', async () => {
    const body = answerChatHere(await sentBy((client) => client.chat({ model: 'm', stream: true })), nowMs)!;
    const reasons: string[] = [];
    for await (const part of await ollamaClientOf({ body, headers: json }).client.chat({ model: 'm', stream: true })) {
      reasons.push(part.done_reason);
    }
    expect(reasons).toEqual(['load']);
  });
});
