import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import {
  anthropicMessagesClientCodec,
  createAnthropicUpstreamCodec,
} from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeResponse } from '../../../../proxy/protocols/anthropic-messages/encode-response.ts';
import { anthropicMessagesPassThrough } from '../../../../proxy/protocols/anthropic-messages/pass-through.ts';
import { createOpenaiChatUpstreamCodec, openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { fixtures as otherAnswers } from '../fixture.ts';
import { context, response } from './answer.ts';
import { answers, bytesOf } from './fixture.ts';
import { ask, clientOf, versions } from './sdk.ts';

const upstream = createAnthropicUpstreamCodec(anthropicDialect);
const json = { 'content-type': 'application/json' };

function decode(body: Buffer): CanonicalResponse {
  const decoded = upstream.decodeResponse(body, 'fallback');
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

function wire(answer: Partial<CanonicalResponse>): unknown {
  const whole = { id: 'msg_1', model: 'm', content: [], finish: 'stop', metadata: {}, ...answer } as const;
  return JSON.parse(encodeResponse(whole, context).toString());
}

/** An answer as clients of chat completions get it. */
function asChat(name: string): unknown {
  return JSON.parse(openaiChatClientCodec.encodeResponse(decode(bytesOf(name)), context).toString());
}

test('an answer comes out as it went in', () => {
  fc.assert(
    fc.property(response, (answer) => {
      const again = decode(anthropicMessagesClientCodec.encodeResponse(answer, context));
      expect(again).toEqual(answer);
    }),
    { numRuns: 300 },
  );
});

test.each(answers)('$name is judged as in the pass-through lane', ({ bytes }) => {
  const headers = { 'request-id': 'r' };
  const reading = anthropicMessagesPassThrough.readAnswer(bytes, headers);
  const decoded = upstream.decodeResponse(bytes, 'f', headers);
  if (decoded.type === 'invalid') {
    expect(decoded.signal).toEqual(reading.signal);
  } else {
    expect(reading.signal).toBeUndefined();
    expect(decoded.empty).toBe(reading.empty);
    expect(decoded.response.usage).toEqual(reading.usage);
  }
});

describe('an answer of Anthropic', () => {
  test.each([
    ['text.json', [{ type: 'text', text: 'Hi! My name is Claude.' }], 'stop'],
    [
      'tool.json',
      [
        { type: 'text', text: "I'll check." },
        {
          type: 'tool-call',
          id: 'toolu_01A09q90qw90lq917835lq9',
          tool: 'get_weather',
          input: '{"location":"San Francisco, CA","unit":"celsius"}',
        },
        { type: 'tool-call', id: 'toolu_none', tool: 'now', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'thinking.json',
      [
        {
          type: 'thinking',
          text: 'Let me think.',
          signature: 'WaUjzkypQ2mUEVM36O2TxuC06KN8xyfbJwyem2dw3URve',
        },
        { type: 'redacted-thinking', data: 'EmwKAhgB' },
        { type: 'text', text: 'Based on my analysis' },
      ],
      'stop',
    ],
    ['stop-sequence.json', [{ type: 'text', text: '1, 2' }], 'stop-sequence'],
    ['refusal.json', [], 'refusal'],
    ['empty.json', [], 'stop'],
    ['json-tool.json', [{ type: 'text', text: '{"answer":42}' }], 'stop'],
    ['end-turn-with-tool.json', [{ type: 'tool-call', id: 'call_w', tool: 'f', input: '{"a":1}' }], 'tool-calls'],
    ['blank-lines.json', [{ type: 'text', text: 'Hi! My name is Claude.' }], 'stop'],
  ])('%s is read', (name, content, finish) => {
    expect(decode(bytesOf(name))).toMatchObject({ content, finish });
  });

  test('names the sequence that it stopped at', () => {
    expect(decode(bytesOf('stop-sequence.json')).stopSequence).toBe('END');
  });

  test('keeps what nobody else knows', () => {
    const body = JSON.parse(bytesOf('web-search.json').toString()) as object;
    const odd = Buffer.from(JSON.stringify({ ...body, container: { id: 'c' }, x_new: 1 }));
    const again = JSON.parse(encodeResponse(decode(odd), context).toString()) as object;
    expect(again).toMatchObject({ ...body, container: { id: 'c' }, x_new: 1 });
  });

  test('[78] a stand-in for a response format is the content of a client of chat completions', () => {
    expect(asChat('json-tool.json')).toMatchObject({
      choices: [{ message: { content: '{"answer":42}' }, finish_reason: 'stop' }],
    });
    expect(JSON.stringify(asChat('json-tool.json'))).not.toContain('tool_calls');
  });

  test('[86] its input is all of it', () => {
    expect(asChat('cached.json')).toMatchObject({
      usage: {
        prompt_tokens: 2104,
        completion_tokens: 7,
        total_tokens: 2111,
        prompt_tokens_details: { cached_tokens: 2000, cache_write_tokens: 100 },
      },
    });
  });
});

describe('an answer for a client', () => {
  test.each(versions)('of other vendors is what %s expects', async (version) => {
    const chat = createOpenaiChatUpstreamCodec(openaiDialect);
    for (const { name, bytes, signal, protocol } of otherAnswers) {
      if (signal !== undefined || protocol !== 'openai-chat' || name.endsWith('.sse')) continue;
      const decoded = chat.decodeResponse(bytes, 'f');
      if (decoded.type === 'invalid') throw new Error(name);
      const body = anthropicMessagesClientCodec.encodeResponse(decoded.response, context);
      const { client } = clientOf(version, { body, headers: json });
      expect(await client.messages.create(ask), name).toMatchObject({
        type: 'message',
        role: 'assistant',
        id: expect.stringMatching(/^msg_[\w-]+$/),
        model: expect.stringMatching(/./),
        stop_reason: expect.any(String),
        usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
      });
    }
  });

  test.each([
    ['stop', 'end_turn'],
    ['other', 'end_turn'],
    ['stop-sequence', 'stop_sequence'],
    ['tool-calls', 'tool_use'],
    ['length', 'max_tokens'],
    ['context-window', 'model_context_window_exceeded'],
    ['content-filter', 'refusal'],
    ['refusal', 'refusal'],
    ['pause', 'pause_turn'],
  ] as const)('that ended with %s has the stop reason %s', (finish, expected) => {
    expect(wire({ finish })).toMatchObject({ stop_reason: expected, stop_sequence: null });
  });

  test('[161] [162] says tool_use where it calls tools, and max_tokens where it was cut', () => {
    const content = [{ type: 'tool-call', id: 'a', tool: 'f', input: '{"a":' }] as const;
    expect(wire({ content })).toMatchObject({ stop_reason: 'tool_use', content: [{ input: {} }] });
    expect(wire({ content, finish: 'length' })).toMatchObject({ stop_reason: 'max_tokens' });
  });

  test('[163] says refusal where the model refused in words', () => {
    const content = [{ type: 'refusal', text: 'No.' }] as const;
    expect(wire({ content })).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: 'No.' }] });
  });

  test('[176] counts the input without what a cache had to do with, never below zero', () => {
    const usage = { inputTokens: 10, outputTokens: 5, cachedTokens: 8, cacheWriteTokens: 4, reasoningTokens: 3 };
    expect(wire({ usage })).toMatchObject({
      usage: {
        input_tokens: 0,
        cache_read_input_tokens: 8,
        cache_creation_input_tokens: 4,
        output_tokens: 5,
        output_tokens_details: { thinking_tokens: 3 },
      },
    });
    expect(wire({})).toMatchObject({ usage: { input_tokens: 17, output_tokens: 0 } });
  });

  test('[180] may be empty, and has no empty blocks', () => {
    const content = [
      { type: 'text', text: '' },
      { type: 'thinking', text: '' },
    ] as const;
    expect(wire({ content })).toMatchObject({ content: [], stop_reason: 'end_turn' });
  });

  test('stands in for an id and a model that the upstream does not tell', () => {
    expect(wire({ id: '', model: '' })).toMatchObject({ id: 'msg_req-1', model: 'asked' });
    expect(wire({ id: 'chatcmpl-7/x' })).toMatchObject({ id: 'msg_chatcmpl-7_x' });
  });
});
