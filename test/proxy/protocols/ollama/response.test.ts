import { describe, expect, test } from 'vitest';

import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import { ollamaChatClientCodec, ollamaChatUpstreamCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';
import { ollamaGenerateClientCodec } from '../../../../proxy/protocols/ollama/generate/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { AnswerContext } from '../../../../proxy/protocols/protocol.ts';
import { context as openAiContext } from '../openai-chat/answer.ts';
import { answers, bytesOf, passThroughs } from './fixture.ts';
import { request } from './request-wire.ts';
import { ollamaClientOf } from './sdk.ts';

const chats = answers.filter(({ protocol }) => protocol === 'ollama-chat');
const json = { 'content-type': 'application/json' };
const context: AnswerContext = {
  ...openAiContext,
  startedAtMs: 1_700_000_000_000,
  now: () => 1_700_000_001_500,
};

function decode(body: Buffer): CanonicalResponse {
  const decoded = ollamaChatUpstreamCodec.decodeResponse(body, 'req-7');
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

test.each(chats)('$name is judged as in the pass-through lane', ({ bytes }) => {
  const headers = { 'x-request-id': 'r' };
  const reading = passThroughs['ollama-chat'].readAnswer(bytes, headers);
  const decoded = ollamaChatUpstreamCodec.decodeResponse(bytes, 'f', headers);
  if (decoded.type === 'invalid') {
    expect(decoded.signal).toEqual(reading.signal);
  } else {
    expect(reading.signal).toBeUndefined();
    expect(decoded.empty).toBe(reading.empty);
    expect(decoded.response.usage).toEqual(reading.usage);
  }
});

describe('an answer of a server', () => {
  test.each([
    ['chat.json', [{ type: 'text', text: 'Hello! How are you today?' }], 'stop'],
    [
      'chat-tools.json',
      [
        {
          type: 'tool-call',
          id: 'call_req-7_0',
          tool: 'get_current_weather',
          input: '{"format":"celsius","location":"Paris, FR"}',
        },
      ],
      'tool-calls',
    ],
    [
      'chat-thinking.json',
      [
        { type: 'thinking', text: 'Compare.' },
        { type: 'text', text: '9.9' },
      ],
      'length',
    ],
    ['chat-without-done.json', [{ type: 'text', text: 'a' }], 'stop'],
  ])('[129] [131] %s is read', (name, content, finish) => {
    expect(decode(bytesOf(name))).toMatchObject({ id: 'req-7', content, finish });
  });

  test('says when and by which model it was made', () => {
    expect(decode(bytesOf('chat.json'))).toMatchObject({ model: 'llama3.2', createdAt: 1_702_390_423 });
    expect(decode(Buffer.from('{"message":{"content":"a"},"created_at":"soon"}'))).not.toHaveProperty('createdAt');
  });

  test.each([
    ['no name', { function: { arguments: {} } }],
    ['arguments that are cut', { function: { name: 'f', arguments: '{' } }],
  ])('with a call that has %s is invalid', (_, call) => {
    const body = Buffer.from(JSON.stringify({ message: { tool_calls: [call] }, done: true }));
    expect(ollamaChatUpstreamCodec.decodeResponse(body, 'f')).toMatchObject({
      type: 'invalid',
      signal: { type: 'invalid', detail: 'the answer has a tool call that is not whole' },
    });
  });

  test('tells log probabilities where clients of OpenAI look for them', () => {
    const logprobs = [{ token: 'a', logprob: -1 }];
    const response = decode(Buffer.from(JSON.stringify({ message: { content: 'a' }, done: true, logprobs })));
    const wire = JSON.parse(openaiChatClientCodec.encodeResponse(response, openAiContext).toString()) as unknown;
    expect(wire).toMatchObject({
      choices: [{ logprobs: { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }], refusal: null } }],
    });
    const own = JSON.parse(ollamaChatClientCodec.encodeResponse(response, context).toString()) as unknown;
    expect(own).toMatchObject({ logprobs: [{ token: 'a', logprob: -1 }] });
  });
});

describe('an answer to a client', () => {
  const answer: CanonicalResponse = {
    id: 'x',
    model: '',
    content: [
      { type: 'thinking', text: 'Hm' },
      { type: 'text', text: 'I look.' },
      { type: 'tool-call', id: 'call_1', tool: 'f', input: '{"a":[1]}' },
      { type: 'tool-call', id: 'call_2', tool: 'g', input: '' },
    ],
    finish: 'tool-calls',
    usage: { inputTokens: 3, outputTokens: 2, cachedTokens: 1 },
    metadata: {},
  };

  test('[187] is what the official client expects', async () => {
    const body = ollamaChatClientCodec.encodeResponse(answer, context);
    await expect(ollamaClientOf({ body, headers: json }).client.chat({ model: 'm' })).resolves.toEqual({
      model: 'asked',
      created_at: '2023-11-14T22:13:21.500Z',
      message: {
        role: 'assistant',
        content: 'I look.',
        thinking: 'Hm',
        tool_calls: [
          { id: 'call_1', function: { index: 0, name: 'f', arguments: { a: [1] } } },
          { id: 'call_2', function: { index: 1, name: 'g', arguments: {} } },
        ],
      },
      done: true,
      done_reason: 'stop',
      total_duration: 1_500_000_000,
      load_duration: 0,
      prompt_eval_count: 3,
      prompt_eval_duration: 1,
      eval_count: 2,
      eval_duration: 1_500_000_000,
    });
  });

  test('[200] of generate has its text in its own place', async () => {
    const body = ollamaGenerateClientCodec.encodeResponse({ ...answer, content: answer.content.slice(0, 2) }, context);
    const { client } = ollamaClientOf({ body, headers: json });
    await expect(client.generate({ model: 'm', prompt: 'p' })).resolves.toMatchObject({
      response: 'I look.',
      thinking: 'Hm',
      done: true,
      done_reason: 'stop',
    });
  });

  test('[194] has no thinking where none was wanted', () => {
    const off = { ...context, request: request({ thinking: { type: 'off' } }) };
    expect(ollamaChatClientCodec.encodeResponse(answer, off).toString()).not.toContain('thinking');
  });

  test.each([
    ['length', 'length'],
    ['context-window', 'length'],
    ['stop', 'stop'],
    ['stop-sequence', 'stop'],
    ['content-filter', 'stop'],
    ['refusal', 'stop'],
    ['pause', 'stop'],
    ['other', 'stop'],
  ] as const)('that ended with %s says %s', (finish, reason) => {
    const wire = JSON.parse(ollamaChatClientCodec.encodeResponse({ ...answer, finish }, context).toString()) as unknown;
    expect(wire).toMatchObject({ done_reason: reason, message: { content: 'I look.' } });
  });

  test('that was withheld or refused says so in words', () => {
    const said = (response: Partial<CanonicalResponse>): unknown =>
      JSON.parse(ollamaChatClientCodec.encodeResponse({ ...answer, ...response }, context).toString());
    expect(said({ content: [], finish: 'content-filter' })).toMatchObject({
      message: { content: 'The answer was withheld by a content filter.' },
    });
    expect(said({ content: [{ type: 'refusal', text: 'I will not.' }], finish: 'refusal' })).toMatchObject({
      message: { content: 'I will not.' },
    });
  });

  test('[196] has no member error, whatever the upstream had', () => {
    const odd = Buffer.from(
      '{"message":{"content":"a"},"done":true,"error":null,"remote_host":"h","total_duration":7}',
    );
    const wire = JSON.parse(ollamaChatClientCodec.encodeResponse(decode(odd), context).toString()) as object;
    expect(wire).not.toHaveProperty('error');
    expect(wire).toMatchObject({ remote_host: 'h', total_duration: 7, done: true });
  });

  test('without usage has counts all the same', () => {
    const { usage: _, ...uncounted } = answer;
    expect(JSON.parse(ollamaChatClientCodec.encodeResponse(uncounted, context).toString())).toMatchObject({
      prompt_eval_count: 0,
      eval_count: 0,
    });
  });
});
