import { describe, expect, test } from 'vitest';

import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import { anthropicMessagesClientCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { createGeminiUpstreams } from '../../../../proxy/protocols/gemini/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import { answers, bytesOf, decode as decodeStream } from './fixture.ts';

const codec = createGeminiUpstreams()(undefined);
const json = { 'content-type': 'application/json' };

function decode(bytes: Buffer): CanonicalResponse {
  const decoded = codec.decodeResponse(bytes, 'req-7');
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

describe('an answer', () => {
  test.each(answers)('$name is judged', ({ bytes, empty, usage, signal }) => {
    const decoded = codec.decodeResponse(bytes, 'f', { a: 'b' });
    if (signal === undefined) expect(decoded).toMatchObject({ type: 'response', empty });
    else
      expect(decoded).toMatchObject({
        type: 'invalid',
        signal: { type: 'invalid', detail: signal, headers: { a: 'b' } },
      });
    if (decoded.type === 'response') expect(decoded.response.usage).toEqual(usage);
  });

  test.each([
    ['text.json', [{ type: 'text', text: 'Hello there' }], 'stop'],
    [
      'tools.json',
      [
        { type: 'thinking', text: 'Plan.', signature: 'google-gemini:CsYBAePx/+8=' },
        { type: 'tool-call', tool: 'get_weather', input: '{"city":"Paris"}' },
        { type: 'tool-call', tool: 'get_time', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'tool-unthought.json',
      [{ type: 'thinking', text: '', signature: 'google-gemini:c2ln' }, { type: 'tool-call' }],
      'tool-calls',
    ],
    ['prompt-blocked.json', [], 'content-filter'],
    ['max-tokens.json', [], 'length'],
  ])('[99] [100] [101] %s is read', (name, content, finish) => {
    expect(decode(bytesOf(name))).toMatchObject({ content, finish });
  });

  test.each([
    ['STOP', 'stop'],
    ['OTHER', 'other'],
    ['CONTINUATION', 'other'],
    ['BRAND_NEW', 'other'],
    ['RECITATION', 'content-filter'],
    ['SPII', 'content-filter'],
    ['LANGUAGE', 'content-filter'],
    ['IMAGE_SAFETY', 'content-filter'],
    ['MAX_TOKENS', 'length'],
  ])('that ended with %s ended with %s', (finishReason, finish) => {
    const candidates = [{ content: { parts: [{ text: 'a' }] }, finishReason }];
    expect(decode(Buffer.from(JSON.stringify({ candidates })))).toMatchObject({ finish });
  });

  test('[98] has its signature where clients of Google and of OpenAI look for it', async () => {
    const body = openaiChatClientCodec.encodeResponse(decode(bytesOf('tools.json')), context);
    const { client } = clientOf('v7', { body, headers: json });
    const { choices, usage } = await client.chat.completions.create({ model: 'm', messages: [] });
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        reasoning_content: 'Plan.',
        tool_calls: [
          {
            id: 'call_mNEkaZ3fH-aB1MkP_0',
            extra_content: { google: { thought_signature: 'CsYBAePx/+8=', service: 'gemini' } },
          },
          { id: 'call_mNEkaZ3fH-aB1MkP_1' },
        ],
      },
    });
    expect(usage).toMatchObject({ prompt_tokens: 56, completion_tokens: 50 });
    expect(choices[0]?.message.tool_calls?.[1]).not.toHaveProperty('extra_content');
  });

  test('[181] [182] is one that clients of Anthropic know', () => {
    const toAnthropic = (name: string): unknown =>
      JSON.parse(anthropicMessagesClientCodec.encodeResponse(decode(bytesOf(name)), context).toString());
    expect(toAnthropic('tool-unthought.json')).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: '', signature: 'google-gemini:c2ln' },
        { type: 'tool_use', name: 'f' },
      ],
    });
    expect(toAnthropic('prompt-blocked.json')).toMatchObject({ stop_reason: 'refusal', content: [] });
  });

  test.each(['v6', 'v7'] as const)(
    '[100] [101] is one that the official client %s takes though it says nothing',
    async (version) => {
      for (const [name, finish] of [
        ['prompt-blocked.json', 'content_filter'],
        ['max-tokens.json', 'length'],
      ] as const) {
        const body = openaiChatClientCodec.encodeResponse(decode(bytesOf(name)), context);
        const { client } = clientOf(version, { body, headers: json });
        const { choices } = await client.chat.completions.create({ model: 'm', messages: [] });
        expect(choices).toMatchObject([{ finish_reason: finish, message: { role: 'assistant', content: '' } }]);
      }
    },
  );

  test('has what the model drew where clients of OpenRouter look for it', () => {
    const parts = [{ text: 'Here:' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }];
    const frame = { candidates: [{ content: { parts }, finishReason: 'STOP' }] };
    const images = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }];
    const whole = decode(Buffer.from(JSON.stringify(frame)));
    expect(whole.content).toMatchObject([{ type: 'text' }, { type: 'image', source: { data: 'AA==' } }]);
    expect(JSON.parse(openaiChatClientCodec.encodeResponse(whole, context).toString())).toMatchObject({
      choices: [{ message: { content: 'Here:', images } }],
    });
    const streamed = decodeStream(codec, Buffer.from(`data: ${JSON.stringify(frame)}\n\n`));
    const encoder = openaiChatClientCodec.streamEncoder(context);
    const bytes = Buffer.concat(streamed.map((part) => encoder.encode(part))).toString();
    expect(bytes).toContain(JSON.stringify({ images }).slice(1, -1));
  });

  test('[108] that is JSON is parsed by the official client', async () => {
    const candidates = [{ content: { parts: [{ text: '{"a":' }, { text: '1}' }] }, finishReason: 'STOP' }];
    const body = openaiChatClientCodec.encodeResponse(decode(Buffer.from(JSON.stringify({ candidates }))), context);
    const { client } = clientOf('v7', { body, headers: json });
    const schema = { type: 'object', properties: { a: { type: 'number' } } };
    const { choices } = await client.chat.completions.parse({
      model: 'm',
      messages: [],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } },
    });
    expect(choices[0]?.message.parsed).toEqual({ a: 1 });
  });
});
