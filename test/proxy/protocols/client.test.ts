import { describe, expect, test } from 'vitest';

import { ClientError, type ErrorCode, errorCatalogue } from '../../../proxy/canonical/client-error.ts';
import { openaiModels } from '../../../proxy/protocols/openai/models.ts';
import { protocolOf, protocols } from '../../../proxy/protocols/registry.ts';
import type { ClientProtocol, ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { framesOf, streams } from './fixture.ts';
import { clientOf } from './sdk.ts';

const versions = ['v6', 'v7'] as const;
const chat = protocols['openai-chat'].client;
const responses = protocols['openai-responses'].client;
const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

function bodyOf(error: ClientError, client: ClientProtocol = chat): unknown {
  return JSON.parse(client.encodeError(error, 'req-1').body.toString());
}

describe('an error before content', () => {
  test.each<[ErrorCode, string]>([
    ['invalid_json', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error'],
    ['model_not_allowed', 'permission_error'],
    ['model_not_found', 'invalid_request_error'],
    ['method_not_allowed', 'invalid_request_error'],
    ['request_too_large', 'invalid_request_error'],
    ['rate_limit_exceeded', 'rate_limit_error'],
    ['insufficient_quota', 'insufficient_quota'],
    ['upstream_auth_failed', 'server_error'],
    ['upstream_overloaded', 'server_error'],
    ['upstream_timeout', 'server_error'],
  ])('%s has the type %s', (code, type) => {
    expect(bodyOf(new ClientError(code))).toEqual({
      error: { message: errorCatalogue[code].message, type, param: null, code },
    });
  });

  test.each(Object.keys(errorCatalogue) as ErrorCode[])('%s is what both official clients expect', async (code) => {
    const error = new ClientError(code, { retryAfterMs: 1500 });
    const encoded = chat.encodeError(error, 'req-1');
    expect(encoded.headers).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': 'req-1',
      'x-should-retry': String(error.retryable),
      'x-sluice-error': code,
      'retry-after': '2',
      'retry-after-ms': '1500',
    });
    for (const version of versions) {
      const { client } = clientOf(version, encoded);
      await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
        status: error.status,
        code,
        requestID: 'req-1',
      });
    }
  });

  test.each([
    [undefined, undefined, undefined],
    [0, '1', '1000'],
    [59_001.5, '60', '59002'],
    [3_600_000, '60', '60000'],
  ])('a wait of %s ms is told as %s s and %s ms', (retryAfterMs, seconds, ms) => {
    const details = retryAfterMs === undefined ? {} : { retryAfterMs };
    const { headers } = chat.encodeError(new ClientError('rate_limit_exceeded', details), 'r');
    expect(headers['retry-after']).toBe(seconds);
    expect(headers['retry-after-ms']).toBe(ms);
  });

  test("keeps an upstream's own words about the client's fault", () => {
    const upstream = { status: 400, message: 'too long', code: undefined, type: 'bad', param: 'messages' };
    const error = new ClientError('context_length_exceeded', { upstream });
    expect(bodyOf(error)).toEqual({ error: { message: 'too long', type: 'bad', param: 'messages', code: null } });
    expect(chat.encodeError(error, 'r').headers['x-sluice-error']).toBe('context_length_exceeded');
    const bare = { status: 422, message: 'no', code: 'c', type: undefined, param: undefined };
    const second = chat.encodeError(new ClientError('invalid_request', { upstream: bare }), 'r');
    expect(second.status).toBe(422);
    expect(JSON.parse(second.body.toString())).toEqual({
      error: { message: 'no', type: 'invalid_request_error', param: null, code: 'c' },
    });
  });

  const family: readonly ProtocolId[] = ['openai-completions', 'openai-responses', 'openai-embeddings', 'relay'];
  test.each(family)('has the same shape in %s', (id) => {
    expect(bodyOf(new ClientError('draining'), protocolOf(id).client)).toHaveProperty('error.code', 'draining');
  });
});

describe('an error after content', () => {
  const truncated = new ClientError('stream_truncated');

  test.each(versions)('makes the chat iterator of %s throw, and delivers what came before', async (version) => {
    const { bytes } = streams.find(({ name }) => name === 'openai-cut.sse')!;
    const inBand = chat.encodeInBandError(truncated, 'r')!;
    expect(inBand.toString()).toMatch(/^data: \{"error":.*\}\n\n$/);
    const { client } = clientOf(version, { body: Buffer.concat([bytes, inBand]), chunkBytes: 11 });
    let text = '';
    await expect(async () => {
      for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
    }).rejects.toMatchObject({ code: 'stream_truncated' });
    expect(text).toBe('Half');
  });

  test.each(versions)('makes the completions iterator of %s throw', async (version) => {
    const body = protocols['openai-completions'].client.encodeInBandError(truncated, 'r')!;
    const { client } = clientOf(version, { body });
    await expect(async () => {
      for await (const _ of await client.completions.create({ model: 'm', prompt: 'p', stream: true }));
    }).rejects.toMatchObject({ code: 'stream_truncated' });
  });

  test.each(versions)('makes the responses iterator and accumulator of %s throw', async (version) => {
    const { bytes } = streams.find(({ name }) => name === 'responses-cut.sse')!;
    const tap = protocols['openai-responses'].passThrough!.tap({ hideUsage: false });
    for (const frame of framesOf(bytes)) tap.frame(frame);
    const inBand = responses.encodeInBandError(truncated, 'r', tap.nextSequence)!;
    expect(inBand.toString()).toContain('"sequence_number":8,');
    const body = Buffer.concat([bytes, inBand]);
    await expect(async () => {
      const { client } = clientOf(version, { body });
      for await (const _ of await client.responses.create({ model: 'm', input: 'i', stream: true }));
    }).rejects.toMatchObject({ code: 'stream_truncated' });
    const { client } = clientOf(version, { body });
    await expect(client.responses.stream({ model: 'm', input: 'i' }).finalResponse()).rejects.toMatchObject({
      code: 'stream_truncated',
    });
  });

  test('cannot be said where nothing is streamed or read', () => {
    expect(protocols['openai-embeddings'].client.encodeInBandError(truncated, 'r')).toBeUndefined();
    expect(protocols.relay.client.encodeInBandError(truncated, 'r')).toBeUndefined();
  });
});

test.each(versions)('keep-alives disturb no client (%s)', async (version) => {
  for (const name of ['openai-text.sse', 'azure-text.sse', 'deepseek-reasoner.sse']) {
    const { bytes } = streams.find((fixture) => fixture.name === name)!;
    const body = Buffer.concat(framesOf(bytes).flatMap((frame) => [chat.keepAlive!, frame]));
    const { client } = clientOf(version, { body, chunkBytes: 5 });
    await expect(client.chat.completions.stream(ask).finalChatCompletion()).resolves.toBeDefined();
  }
});

describe('peek', () => {
  function peek(body: unknown, client: ClientProtocol = chat): unknown {
    const { members: _, ...rest } = client.peek(Buffer.from(JSON.stringify(body)));
    return rest;
  }

  test.each([
    [{}, { model: undefined, stream: false, wantsUsage: false, usageEdit: undefined }],
    [
      { model: 'm', stream: null },
      { model: 'm', stream: false, wantsUsage: false, usageEdit: undefined },
    ],
    [{ model: '' }, { model: undefined, stream: false, wantsUsage: false, usageEdit: undefined }],
    [
      { model: 'm', stream: true },
      {
        model: 'm',
        stream: true,
        wantsUsage: false,
        usageEdit: { name: 'stream_options', json: '{"include_usage":true}' },
      },
    ],
    [
      { model: 'm', stream: true, stream_options: { include_obfuscation: false, include_usage: false } },
      {
        model: 'm',
        stream: true,
        wantsUsage: false,
        usageEdit: { name: 'stream_options', json: '{"include_obfuscation":false,"include_usage":true}' },
      },
    ],
    [
      { model: 'm', stream: true, stream_options: { include_usage: true } },
      { model: 'm', stream: true, wantsUsage: true, usageEdit: undefined },
    ],
  ])('reads %j', (body, expected) => {
    expect(peek(body)).toEqual(expected);
  });

  test('asks for no usage where streams always tell it', () => {
    const expected = { model: 'm', stream: true, wantsUsage: true, usageEdit: undefined };
    expect(peek({ model: 'm', stream: true }, responses)).toEqual(expected);
  });

  test.each([
    [{ model: 7 }, 'model must be a string.'],
    [{ model: null }, 'model must be a string.'],
    [{ model: 'x'.repeat(257) }, 'model must have at most 256 characters.'],
    [{ model: 'a\nb' }, 'model must not have control characters.'],
    [{ model: '..' }, 'model must be a name.'],
    [{ model: '\ud800' }, 'model must be well-formed Unicode.'],
    [{ model: 'a', Model: 'b' }, 'the member model must be written in lower case.'],
    [{ MODEL: 'b' }, 'the member model must be written in lower case.'],
    [{ stream: 'yes' }, 'stream must be true or false.'],
    [{ stream_options: [] }, 'stream_options must be an object.'],
  ])('refuses %j', (body, message) => {
    expect(() => peek(body)).toThrow(new ClientError('invalid_request', { message }));
  });

  test('reads nothing of what is only relayed', () => {
    expect(protocols.relay.client.peek(Buffer.from('not JSON')).model).toBeUndefined();
  });
});

describe('the listing of models', () => {
  const listed = [
    { id: 'gpt-4.1', createdAt: 1 },
    { id: 'meta/llama', createdAt: 2 },
  ];

  test.each(versions)('is what %s expects', async (version) => {
    const headers = { 'content-type': 'application/json' };
    const answer = (id?: string): Buffer => {
      const nothing = { query: new URLSearchParams(), body: Buffer.alloc(0) };
      return openaiModels.answer({ ...nothing, id, models: () => listed }).body;
    };
    const list = await clientOf(version, { body: answer(), headers }).client.models.list();
    expect(list.data.map(({ id }) => id)).toEqual(['gpt-4.1', 'meta/llama']);
    const one = clientOf(version, { body: answer('meta/llama'), headers }).client.models.retrieve('meta/llama');
    await expect(one).resolves.toEqual({ id: 'meta/llama', object: 'model', created: 2, owned_by: 'sluice' });
  });
});
