import { describe, expect, test } from 'vitest';

import { ClientError, type ErrorCode, errorCatalogue } from '../../../../proxy/canonical/client-error.ts';
import {
  anthropicCountTokensClient,
  anthropicMessagesClient,
} from '../../../../proxy/protocols/anthropic-messages/client.ts';
import { framesOf } from '../fixture.ts';
import { bytesOf, streams } from './fixture.ts';
import { ask, clientOf, versions } from './sdk.ts';

const face = anthropicMessagesClient;

function bodyOf(error: ClientError): unknown {
  return JSON.parse(face.encodeError(error, 'req-1').body.toString());
}

describe('an error before content', () => {
  test.each<[ErrorCode, number, string]>([
    ['invalid_json', 400, 'invalid_request_error'],
    ['invalid_api_key', 401, 'authentication_error'],
    ['model_not_allowed', 403, 'permission_error'],
    ['model_not_found', 404, 'not_found_error'],
    ['route_not_found', 404, 'not_found_error'],
    ['method_not_allowed', 405, 'invalid_request_error'],
    ['request_too_large', 413, 'request_too_large'],
    ['unsupported_encoding', 415, 'invalid_request_error'],
    ['rate_limit_exceeded', 429, 'rate_limit_error'],
    ['insufficient_quota', 429, 'rate_limit_error'],
    ['internal_error', 500, 'api_error'],
    ['upstream_auth_failed', 502, 'api_error'],
    ['invalid_upstream_response', 502, 'api_error'],
    ['stream_truncated', 502, 'api_error'],
    ['no_backend', 503, 'api_error'],
    ['upstream_unavailable', 503, 'api_error'],
    ['overloaded', 503, 'overloaded_error'],
    ['upstream_overloaded', 529, 'overloaded_error'],
    ['upstream_timeout', 504, 'timeout_error'],
    ['content_filter', 400, 'invalid_request_error'],
  ])('[154] %s is %s %s, with the id of the request', (code, status, type) => {
    const error = new ClientError(code);
    expect(face.encodeError(error, 'req-1').status).toBe(status);
    expect(bodyOf(error)).toEqual({
      type: 'error',
      error: { type, message: errorCatalogue[code].message },
      request_id: 'req-1',
    });
  });

  test.each(Object.keys(errorCatalogue) as ErrorCode[])(
    '[172] %s raises the right class in both clients',
    async (code) => {
      const error = new ClientError(code, { retryAfterMs: 1500 });
      const encoded = face.encodeError(error, 'req-1');
      expect(encoded.headers).toMatchObject({
        'content-type': 'application/json',
        'request-id': 'req-1',
        'x-request-id': 'req-1',
        'x-should-retry': String(error.retryable),
        'x-sluice-error': code,
        'retry-after': '2',
        'retry-after-ms': '1500',
      });
      for (const version of versions) {
        const { client } = clientOf(version, encoded);
        const thrown = await client.messages.create(ask).catch((reason: unknown) => reason);
        expect(thrown).toMatchObject({ status: encoded.status, requestID: 'req-1', error: { type: 'error' } });
        expect((thrown as Error).constructor.name).toBe(classOf(encoded.status, version));
      }
    },
  );

  test("keeps an upstream's own words about the client's fault", () => {
    const upstream = { status: 400, message: 'no', code: undefined, type: 'invalid_request_error', param: undefined };
    expect(bodyOf(new ClientError('invalid_request', { upstream }))).toMatchObject({
      error: { type: 'invalid_request_error', message: 'no' },
    });
    // What other vendors call their errors would tell a client of this protocol nothing.
    const foreign = { ...upstream, status: 413, type: 'tokens', code: 'c' };
    expect(bodyOf(new ClientError('request_too_large', { upstream: foreign }))).toMatchObject({
      error: { type: 'request_too_large', message: 'no' },
    });
    expect(
      face.encodeError(new ClientError('invalid_request', { upstream: { ...upstream, status: 422 } }), 'r').status,
    ).toBe(422);
  });

  test.each([
    [
      "This model's maximum context length is 8192 tokens.",
      "prompt is too long: This model's maximum context length is 8192 tokens.",
    ],
    ['prompt is too long: 208310 tokens > 200000 maximum', 'prompt is too long: 208310 tokens > 200000 maximum'],
    [
      'input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000',
      'input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000',
    ],
  ])('says of "%s" what Claude Code looks for', (message, told) => {
    const upstream = { status: 400, message, code: undefined, type: undefined, param: undefined };
    expect(bodyOf(new ClientError('context_length_exceeded', { upstream }))).toMatchObject({
      error: { type: 'invalid_request_error', message: told },
    });
  });
});

function classOf(status: number, version: (typeof versions)[number]): string {
  const newer: Record<number, string> =
    version === '1.x'
      ? {
          413: 'ContentTooLargeError',
          503: 'ServiceUnavailableError',
          504: 'GatewayTimeoutError',
          529: 'OverloadedError',
        }
      : {};
  const names: Record<number, string> = {
    400: 'BadRequestError',
    401: 'AuthenticationError',
    403: 'PermissionDeniedError',
    404: 'NotFoundError',
    422: 'UnprocessableEntityError',
    429: 'RateLimitError',
  };
  return newer[status] ?? names[status] ?? (status >= 500 ? 'InternalServerError' : 'APIError');
}

describe('an error after content', () => {
  test.each(versions)('[173] makes the iterator and the accumulator of %s throw', async (version) => {
    const inBand = face.encodeInBandError(new ClientError('stream_truncated'), 'req-1')!;
    expect(inBand.toString()).toBe(
      `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"${errorCatalogue.stream_truncated.message}"},"request_id":"req-1"}\n\n`,
    );
    const body = Buffer.concat([bytesOf('cut.sse'), inBand]);
    let text = '';
    await expect(async () => {
      const { client } = clientOf(version, { body, chunkBytes: 11 });
      for await (const event of await client.messages.create({ ...ask, stream: true })) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
      }
    }).rejects.toMatchObject({ type: 'api_error' });
    expect(text).toBe('Half');
    const { client } = clientOf(version, { body });
    await expect(client.messages.stream(ask).finalMessage()).rejects.toMatchObject({ type: 'api_error' });
  });

  test('that is an overload is called one', () => {
    const inBand = face.encodeInBandError(new ClientError('upstream_overloaded'), 'r')!.toString();
    expect(inBand).toContain('"type":"overloaded_error"');
  });
});

test.each(versions)('[174] pings disturb no client (%s)', async (version) => {
  expect(face.keepAlive?.toString()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  for (const { name, bytes, finished, error } of streams) {
    if (finished !== true || error !== undefined || !['text.sse', 'tool.sse', 'thinking.sse'].includes(name)) continue;
    const body = Buffer.concat([face.keepAlive!, ...framesOf(bytes).flatMap((frame) => [face.keepAlive!, frame])]);
    const { client } = clientOf(version, { body, chunkBytes: 5 });
    await expect(client.messages.stream(ask).finalMessage()).resolves.toBeDefined();
  }
});

describe('peek', () => {
  test.each([
    [{}, { model: undefined, stream: false }],
    [
      { model: 'm', stream: true },
      { model: 'm', stream: true },
    ],
  ])('reads %j; streams always tell their usage', (body, expected) => {
    const seen = face.peek(Buffer.from(JSON.stringify(body)));
    expect(seen).toMatchObject({ ...expected, wantsUsage: true, usageEdit: undefined });
  });

  test('reads what both clients send', async () => {
    for (const version of versions) {
      const { client, requests } = clientOf(version, { body: bytesOf('text.sse') });
      await client.messages.stream(ask).finalMessage();
      expect(face.peek(requests[0]!.body)).toMatchObject({ model: 'm', stream: true });
    }
  });

  test('counts of tokens are never streamed', () => {
    const seen = anthropicCountTokensClient.peek(Buffer.from('{"model":"m","stream":true}'));
    expect(seen).toMatchObject({ model: 'm', stream: false });
    expect(anthropicCountTokensClient.encodeInBandError(new ClientError('draining'), 'r')).toBeUndefined();
    expect(anthropicCountTokensClient.keepAlive).toBeUndefined();
  });

  test('refuses a model that is none', () => {
    expect(() => face.peek(Buffer.from('{"model":7}'))).toThrow('model must be a string.');
  });
});
