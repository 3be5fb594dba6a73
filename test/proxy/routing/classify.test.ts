import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Failure,
  failureClasses,
  type FailureSignal,
  type TransportFault,
} from '../../../proxy/canonical/failure.ts';
import { providerTypes } from '../../../proxy/config/schema.ts';
import { createClassifier } from '../../../proxy/routing/classify.ts';
import { anthropic } from './recorded/anthropic.ts';
import { fireworks, huggingface, openrouter, together } from './recorded/aggregators.ts';
import { azure } from './recorded/azure.ts';
import { bedrock } from './recorded/bedrock.ts';
import { gemini, geminiCompatible, vertex } from './recorded/google.ts';
import { cerebras, cloudflare, deepseek, groq, nim, xai } from './recorded/hosted.ts';
import { compatible, lmstudio, ollama, vllm } from './recorded/local.ts';
import { inFront } from './recorded/in-front.ts';
import { cohere, mistral } from './recorded/mistral-cohere.ts';
import { openai } from './recorded/openai.ts';
import type { Vendor, VendorCase } from './recorded/vendor-case.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const classify = createClassifier({ clock: { now: () => nowMs, setTimer: () => ({ cancel() {} }) } });

const vendors: readonly Vendor[] = [
  openai,
  azure,
  anthropic,
  gemini,
  geminiCompatible,
  vertex,
  bedrock,
  mistral,
  cohere,
  openrouter,
  together,
  fireworks,
  huggingface,
  groq,
  cerebras,
  xai,
  deepseek,
  nim,
  cloudflare,
  vllm,
  ollama,
  lmstudio,
  compatible,
  inFront,
];

function verdict({ class: failureClass, scope, hard, counts, client }: Failure): string {
  const also = [hard && 'hard', counts && 'counts', client !== undefined && 'client'];
  return [failureClass, scope, ...also.filter((word) => word !== false)].join(' ');
}

function signalOf([status, , body, extra = {}]: VendorCase): FailureSignal {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = extra.headers ?? {};
  if (extra.as === 'frame') return { type: 'frame', event: extra.event, data: text, headers };
  if (extra.as === 'invalid') return { type: 'invalid', detail: 'error', body: text, headers };
  return { type: 'answer', status, headers, body: text };
}

describe('what vendors answer is judged as what it means', () => {
  for (const { type, cases } of vendors) {
    const rows = cases.map((it) => ({
      it,
      title: `${it[3]?.as ?? ''} ${it[0]} ${JSON.stringify(it[2]).slice(0, 120)}`,
    }));
    test.each(rows)(`${type} $title`, ({ it }) => {
      const failure = classify(type, signalOf(it));
      const [status, expected, , extra = {}] = it;
      expect(verdict(failure)).toBe(expected);
      expect(failure.retryAfterMs).toBe(extra.resetMs);
      if (extra.client !== undefined) expect(failure.client).toMatchObject(extra.client);
      if (extra.as === undefined) expect(failure.status).toBe(status);
      if (extra.as === 'frame') expect(failure.status).toBe(status);
    });
  }
});

describe('transport faults', () => {
  const cause = new Error('socket');
  const expected: Record<TransportFault, string> = {
    dns: 'Connect backend counts',
    connect: 'Connect backend counts',
    reset: 'Connect backend counts',
    tls: 'TLS backend counts',
    'headers-timeout': 'Timeout backend counts',
    'content-timeout': 'Timeout backend-model counts',
    'idle-timeout': 'Stalled backend counts',
    protocol: 'InvalidResponse backend counts',
  };
  test.each(Object.entries(expected))('%s is %s', (name, wanted) => {
    const fault = name as TransportFault;
    const failure = classify('OpenAI', { type: 'transport', fault, cause });
    expect(verdict(failure)).toBe(wanted);
    expect(failure).toMatchObject({ fault, cause });
    expect(failure.status).toBeUndefined();
  });

  test('an answer that ends too early is truncated', () => {
    const failure = classify('OpenAI', { type: 'truncated', cause });
    expect(verdict(failure)).toBe('Truncated backend counts');
    expect(failure.cause).toBe(cause);
  });
});

describe('credentials that the client passed through', () => {
  const answer = (status: number, message: string, code: string | null = null): FailureSignal => ({
    type: 'answer',
    status,
    headers: { 'retry-after': '7' },
    body: JSON.stringify({ error: { message, code, type: 'x', param: null } }),
  });
  const passedOn = (signal: FailureSignal) => classify('OpenAI', signal, { credentials: 'Passthrough' });

  test.each([
    [401, 'Incorrect API key provided: sk-abcdefghijkl', 'Authentication none client'],
    [403, 'You may not.', 'Permission none client'],
    [429, 'Slow.', 'RateLimit none client'],
    [429, 'You exceeded your current quota', 'Quota none client'],
    [402, 'Pay.', 'Quota none client'],
  ])('a %i (%s) is told to the client and says nothing about the backend', (status, message, wanted) => {
    const failure = passedOn(answer(status, message));
    expect(verdict(failure)).toBe(wanted);
    expect(failure.client).toMatchObject({ status, type: 'x' });
    expect(failure.client?.message).not.toContain('sk-abc');
  });

  test('a limit keeps its reset', () => {
    expect(passedOn(answer(429, 'Slow.')).retryAfterMs).toBe(7000);
  });

  test.each([
    [403, 'Access denied due to Virtual Network/Firewall rules.', 'Permission backend counts'],
    [500, 'Oops', 'ServerError backend counts'],
    [429, 'The model is overloaded', 'Overloaded backend-model counts'],
  ])('a %i (%s) is still about the backend', (status, message, wanted) => {
    expect(verdict(passedOn(answer(status, message)))).toBe(wanted);
  });

  test('with a key pool the same refusals are not shown', () => {
    expect(classify('OpenAI', answer(401, 'no')).client).toBeUndefined();
    expect(classify('OpenAI', answer(401, 'no'), { credentials: 'KeyPool' }).client).toBeUndefined();
  });
});

describe('an operation that is passed on unread', () => {
  const answer = (status: number): FailureSignal => ({
    type: 'answer',
    status,
    headers: {},
    body: '{"message":"No."}',
  });

  test("what is not found there is the client's to know", () => {
    const failure = classify('OpenAI', answer(404), { relayed: true });
    expect(verdict(failure)).toBe('BadRequest none client');
    expect(failure.client).toMatchObject({ status: 404, message: 'No.' });
  });

  test('everything else is judged as ever', () => {
    expect(verdict(classify('OpenAI', answer(429), { relayed: true }))).toBe('RateLimit key-model');
    expect(verdict(classify('OpenAI', answer(404), { relayed: false }))).toBe('ModelNotFound backend');
  });
});

describe('words of a client that come back in an error', () => {
  const attacks = [
    'insufficient_quota',
    'Your credit balance is too low',
    'Incorrect API key provided',
    'spending limit out of credits',
    'model not found',
    'overloaded',
    'invalid_api_key',
  ];
  test.each(attacks)('"%s" inside a 400 disables nothing', (words) => {
    const body = JSON.stringify({
      error: { message: `Invalid value: '${words}'. ${words}`, type: 'invalid_request_error' },
    });
    expect(classify('OpenAI', { type: 'answer', status: 400, headers: {}, body }).scope).toBe('none');
  });

  test.each(attacks)('"%s" inside a 422 disables nothing', (words) => {
    const body = JSON.stringify({
      detail: [{ loc: ['body', 'messages'], msg: 'Field required', input: words, type: words }],
    });
    expect(classify('VLLM', { type: 'answer', status: 422, headers: {}, body }).scope).toBe('none');
  });

  test.each(attacks)('"%s" as the name of a model is only a model', (words) => {
    const body = JSON.stringify({
      error: { message: `The model \`${words}\` does not exist`, code: 'model_not_found' },
    });
    expect(classify('OpenAI', { type: 'answer', status: 404, headers: {}, body }).class).toBe('ModelNotFound');
  });
});

test('a secret of the attempt never reaches the client, whatever it looks like', () => {
  const body = JSON.stringify({
    error: {
      message: 'Bad header hunter2hunter2 at upstream.example',
      param: 'hunter2hunter2',
      code: 'hunter2hunter2',
      type: 'hunter2hunter2',
    },
  });
  const hide = ['hunter2hunter2', 'upstream.example'];
  const { client } = classify('OpenAI', { type: 'answer', status: 400, headers: {}, body }, { hide });
  expect(client).toEqual({
    status: 400,
    message: 'Bad header [redacted] at [redacted]',
    param: '[redacted]',
    code: '[redacted]',
    type: '[redacted]',
  });
});

describe('whatever comes', () => {
  const headers = fc.dictionary(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'retry-after',
        'retry-after-ms',
        'x-ratelimit-remaining-requests',
        'x-ratelimit-reset-requests',
        'x-amzn-errortype',
        '__proto__',
      ),
    ),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        '0',
        '-1',
        '1e9',
        'NaN',
        'Infinity',
        '99999999999999',
        '1d',
        '5s',
        'Wed, 01 Jan 2025 00:00:00 GMT',
      ),
    ),
  );
  const scrap = fc.constantFrom(
    '{"error":',
    '{"message":"',
    '[',
    ']',
    '}',
    '"',
    'null',
    'rate limit',
    '<html>',
    ':{',
    ',',
    '"code":',
    '429',
    '\\u0000',
    '"details":[',
  );
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(scrap).map((scraps) => scraps.join('')),
    fc
      .record(
        {
          error: fc.oneof(
            fc.jsonValue(),
            fc.record({
              message: fc.jsonValue(),
              code: fc.jsonValue(),
              details: fc.jsonValue(),
              metadata: fc.jsonValue(),
            }),
          ),
          detail: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  );
  const signal: fc.Arbitrary<FailureSignal> = fc.oneof(
    fc.record({ type: fc.constant('answer' as const), status: fc.integer({ min: 0, max: 999 }), headers, body }),
    fc.record({
      type: fc.constant('frame' as const),
      event: fc.option(fc.string(), { nil: undefined }),
      data: body,
      headers,
    }),
    fc.record({ type: fc.constant('invalid' as const), detail: fc.string(), body, headers }),
  );

  test("it is judged, within the clamps, and only clients' faults are told", () => {
    fc.assert(
      fc.property(fc.constantFrom(...providerTypes), signal, (type, it) => {
        const failure = classify(type, it);
        expect(failureClasses).toContain(failure.class);
        const cap = failure.class === 'Quota' ? 86_400_000 : 300_000;
        if (failure.retryAfterMs !== undefined) {
          expect(failure.retryAfterMs).toBeGreaterThanOrEqual(1000);
          expect(failure.retryAfterMs).toBeLessThanOrEqual(cap);
          expect(Number.isInteger(failure.retryAfterMs)).toBe(true);
        }
        const told = ['BadRequest', 'ContextLength', 'ContentFilter', 'TooLarge'].includes(failure.class);
        expect(failure.client !== undefined).toBe(told);
        if (told) expect(failure).toMatchObject({ scope: 'none', hard: false, counts: false });
        if (failure.counts) expect(failure.hard).toBe(false);
        if (failure.scope === 'none') expect(failure.counts).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('64 KiB of anything is judged at once', () => {
    const bodies = [
      'try again in '.repeat(5000),
      'exceed '.repeat(9000),
      'context length '.repeat(4000),
      'a'.repeat(65_536),
      'sk-'.repeat(20_000),
      'http://'.repeat(9000),
      'a.'.repeat(32_000),
      '1.1.1.'.repeat(10_000),
      'bearer '.repeat(9000),
      '['.repeat(65_536),
      'input token count '.repeat(3600),
      'api key: '.repeat(7000),
      'the model '.repeat(6000),
    ].flatMap((text) => [text, JSON.stringify({ error: { message: text } }).slice(0, 65_536)]);
    const startedMs = performance.now();
    for (const text of bodies)
      for (const status of [400, 403, 404, 429, 500])
        classify('OpenAI', { type: 'answer', status, headers: {}, body: text });
    expect((performance.now() - startedMs) / bodies.length).toBeLessThan(50);
  });
});
