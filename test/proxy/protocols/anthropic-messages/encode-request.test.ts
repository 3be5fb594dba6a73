import { describe, expect, test } from 'vitest';

import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import {
  encodeCountTokensRequest,
  encodeRequest,
} from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { encode, opus48, opus5, request, sonnet45, weather } from './encoded.ts';

describe('the output limit', () => {
  test.each([
    [opus5, 128_000],
    ['anthropic.claude-opus-4-6-v1', 128_000],
    [sonnet45, 64_000],
    ['claude-opus-4-1@20250805', 32_000],
    ['anthropic/claude-3.5-haiku', 8192],
    ['claude-3-haiku-20240307', 4096],
    ['MiniMax-M2', 4096],
  ])('[67] of %s is %i where the client names none', (model, expected) => {
    expect(encode({ model })).toMatchObject({ max_tokens: expected, dropped: [] });
  });

  test('[67] is what the client or the configuration says, and never more than the model has', () => {
    expect(encode({ max_tokens: 77 })['max_tokens']).toBe(77);
    expect(encode({}, { maxOutputTokens: 1000 })['max_tokens']).toBe(1000);
    const clamped = { max_tokens: 64_000, dropped: [{ name: 'maxOutputTokens', clamped: true }] };
    expect(encode({ max_tokens: 100_000 })).toMatchObject(clamped);
    // What an unknown model takes it has to say itself.
    expect(encode({ model: 'MiniMax-M2', max_tokens: 100_000 })).toMatchObject({ max_tokens: 100_000, dropped: [] });
  });
});

describe('sampling', () => {
  test('[68] a temperature above 1 is 1, and reported', () => {
    expect(encode({ temperature: 1.6 })).toMatchObject({
      temperature: 1,
      dropped: [{ name: 'temperature', clamped: true }],
    });
  });

  test('[68] models that take none get none; what changes nothing is not reported', () => {
    const encoded = encode({ model: opus48, temperature: 0.5, top_p: 0.9, top_k: 5 });
    expect(encoded).not.toHaveProperty('temperature');
    expect(encoded).not.toHaveProperty('top_p');
    expect(encoded).not.toHaveProperty('top_k');
    expect(encoded.dropped).toEqual([{ name: 'temperature' }, { name: 'topP' }, { name: 'topK' }]);
    expect(encode({ model: opus48, temperature: 1, top_p: 1 }).dropped).toEqual([]);
  });

  test('temperature and top_p do not go together, except elsewhere than at Anthropic', () => {
    expect(encode({ temperature: 0.5, top_p: 0.9 })).toMatchObject({ temperature: 0.5, dropped: [{ name: 'topP' }] });
    expect(encode({ top_p: 0.9, top_k: 5 })).toMatchObject({ top_p: 0.9, top_k: 5, dropped: [] });
    expect(encode({ model: 'MiniMax-M2', temperature: 0.5, top_p: 0.9 })).toMatchObject({ top_p: 0.9, dropped: [] });
  });

  test('[22] what only tunes is left out and reported', () => {
    const tuning = { seed: 7, presence_penalty: 1, frequency_penalty: -1 };
    expect(encode(tuning).dropped.map(({ name }) => name)).toEqual(['seed', 'presencePenalty', 'frequencyPenalty']);
  });
});

describe('a request', () => {
  test('[76] has stop sequences that are not white space', () => {
    expect(encode({ stop: 'X' })).toMatchObject({ stop_sequences: ['X'], dropped: [] });
    expect(encode({ stop: ['X', ' \n'] })).toMatchObject({
      stop_sequences: ['X'],
      dropped: [{ name: 'stop', clamped: true }],
    });
    const blank = encode({ stop: ['\n'] });
    expect(blank).not.toHaveProperty('stop_sequences');
    expect(blank.dropped).toEqual([{ name: 'stop' }]);
  });

  test.each([
    [{ n: 2 }, 'choiceCount', 'must be 1: this model gives one answer at a time.'],
    [{ logprobs: true }, 'topLogprobs', 'is not supported: this model tells no probabilities.'],
  ])('[90] %j is refused', (body, parameter, why) => {
    expect(() => encode(body)).toThrow(new RefusedParameter(parameter, why));
    expect(() => encode(body)).toThrow(ClientError);
    expect(encode({ n: 1 })).not.toHaveProperty('n');
  });

  test('says who is asked for, in as many characters as may be', () => {
    const named = (userId: string): unknown =>
      JSON.parse(encodeRequest({ ...request({}), userId }, anthropicDialect).body.toString());
    expect(named('u')).toMatchObject({ metadata: { user_id: 'u' } });
    expect(named('u'.repeat(300))).toMatchObject({ metadata: { user_id: expect.stringMatching(/^[\da-f]{64}$/) } });
  });

  test('asks for a stream as the client does, in a version that takes what it says', () => {
    expect(encode({ stream: true })['stream']).toBe(true);
    expect(encode({})).not.toHaveProperty('stream');
    const { headers } = encodeRequest(request({}), anthropicDialect);
    expect(headers).toEqual({ 'anthropic-version': '2023-06-01' });
  });

  test('to count tokens has nothing that only an answer needs', () => {
    const asked = request({
      stream: true,
      temperature: 0.5,
      stop: 'X',
      max_tokens: 2000,
      tools: [weather],
      reasoning_effort: 'low',
    });
    const { body } = encodeCountTokensRequest(asked, anthropicDialect);
    expect(Object.keys(JSON.parse(body.toString()) as object).toSorted()).toEqual([
      'messages',
      'model',
      'thinking',
      'tools',
    ]);
  });
});

describe('what only clients of OpenAI know', () => {
  test.each([
    [{ audio: { voice: 'alloy' } }, 'audio'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ web_search_options: {} }, 'web_search_options'],
  ])('[22] is refused where the answer would be another one: %j', (members, parameter) => {
    expect(() => encode(members)).toThrow(expect.objectContaining({ parameter }) as Error);
  });

  test('[22] is reported where it is left out', () => {
    const members = { logit_bias: { 1: 1 }, verbosity: 'low', store: true, metadata: { a: 'b' }, service_tier: 'flex' };
    expect(encode(members).dropped.map(({ name }) => name)).toEqual(Object.keys(members));
    expect(encode({ stream_options: { include_usage: true } }).dropped).toEqual([]);
  });

  test('says for whom it is asked', () => {
    expect(encode({ user: 'old' })).toMatchObject({ metadata: { user_id: 'old' }, dropped: [] });
    expect(encode({ safety_identifier: 'new', user: 'old' })).toMatchObject({ metadata: { user_id: 'new' } });
  });
});
