import { describe, expect, test } from 'vitest';

import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import { cohereUpstreamCodec as codec } from '../../../../proxy/protocols/cohere/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import { answers, bytesOf } from './fixture.ts';

function decode(bytes: Buffer): CanonicalResponse {
  const decoded = codec.decodeResponse(bytes, 'req-7');
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

describe('an answer', () => {
  test.each(answers)('$name is judged', ({ bytes, empty, usage, signal }) => {
    const decoded = codec.decodeResponse(bytes, 'f', { a: 'b' });
    if (signal === undefined) expect(decoded).toMatchObject({ type: 'response', empty });
    else expect(decoded).toMatchObject({ type: 'invalid', signal: { detail: signal, headers: { a: 'b' } } });
    if (decoded.type === 'response') expect(decoded.response.usage).toEqual(usage);
  });

  test.each([
    [
      'text.json',
      [
        { type: 'text', text: 'Hello ' },
        { type: 'text', text: 'there' },
      ],
      'stop',
    ],
    [
      'thinking.json',
      [
        { type: 'thinking', text: 'Hm.' },
        { type: 'text', text: '42' },
      ],
      'length',
    ],
    [
      'tools.json',
      [
        { type: 'thinking', text: 'I will look.' },
        { type: 'tool-call', id: 'get_weather_1', tool: 'get_weather', input: '{"city":"Paris"}' },
        { type: 'tool-call', id: 'get_time_2', tool: 'get_time', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'complete-with-call.json',
      [
        { type: 'text', text: 'Well' },
        {
          type: 'tool-call',
          id: 'call_e-4cae-9800-25e4747408ea_0',
          tool: 'f',
          input: '{"a":1}',
        },
      ],
      'tool-calls',
    ],
  ])('[126] [127] [128] %s is read', (name, content, finish) => {
    expect(decode(bytesOf(name))).toMatchObject({ content, finish });
  });

  test('keeps citations for whoever knows them', () => {
    expect(decode(bytesOf('thinking.json')).metadata).toMatchObject({ cohere: { citations: [{ text: '42' }] } });
  });

  test.each(['v6', 'v7'] as const)('[127] [128] is what the official client %s expects', async (version) => {
    const body = openaiChatClientCodec.encodeResponse(decode(bytesOf('tools.json')), context);
    const { client } = clientOf(version, { body, headers: { 'content-type': 'application/json' } });
    const { choices, usage, model } = await client.chat.completions.create({ model: 'm', messages: [] });
    expect(choices).toMatchObject([
      {
        finish_reason: 'tool_calls',
        message: { content: null, reasoning_content: 'I will look.', tool_calls: [{ id: 'get_weather_1' }, {}] },
      },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 50, completion_tokens: 30 });
    expect(model).toBe('asked');
  });
});
