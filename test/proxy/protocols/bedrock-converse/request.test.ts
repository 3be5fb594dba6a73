import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { anthropicMessagesClientCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { bedrockConverseUpstreamCodec } from '../../../../proxy/protocols/bedrock-converse/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { UpstreamModel } from '../../../../proxy/protocols/protocol.ts';
import { complaints, type ConverseRequest } from './strict-server.ts';

const claude = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
const nova = 'amazon.nova-pro-v1:0';
const user = { role: 'user', content: 'hi' };

interface Written {
  readonly wire: ConverseRequest;
  readonly dropped: readonly string[];
}

function write(request: CanonicalRequest, model: string, config?: UpstreamModel): Written {
  const { body, dropped } = bedrockConverseUpstreamCodec.encodeRequest({ ...request, model }, config);
  const names = dropped.map(({ name, clamped }) => name + (clamped === true ? '=clamped' : ''));
  return { wire: JSON.parse(body.toString()) as ConverseRequest, dropped: names };
}

function ofChat(body: object, model = claude, config?: UpstreamModel): Written {
  const request = openaiChatClientCodec.decodeRequest(
    Buffer.from(JSON.stringify({ model: 'm', messages: [user], ...body })),
  );
  return write(request, model, config);
}

function ofMessages(body: object, model = claude): Written {
  const asked = { model: 'm', max_tokens: 9000, messages: [user], ...body };
  return write(anthropicMessagesClientCodec.decodeRequest(Buffer.from(JSON.stringify(asked))), model);
}

function called(...ids: readonly string[]): object {
  const calls = ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }));
  return { role: 'assistant', content: null, tool_calls: calls };
}

function result(id: string, content: unknown = 'done'): object {
  return { role: 'tool', tool_call_id: id, content };
}

const tools = [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } }];
const spec = { toolSpec: { name: 'f', description: 'd', inputSchema: { json: { type: 'object' } } } };

describe('a conversation', () => {
  test('[121] has instructions apart, one turn of each side in a row, the user first, and no blank text', () => {
    const messages = [
      { role: 'system', content: 'a' },
      { role: 'assistant', content: 'Welcome.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: ' ' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'user', content: 'c' },
      { role: 'developer', content: 'd' },
      { role: 'assistant', content: '' },
      { role: 'assistant', content: 'e  ' },
    ];
    expect(ofChat({ messages }).wire).toEqual({
      system: [{ text: 'a' }, { text: 'd' }],
      messages: [
        { role: 'user', content: [{ text: '(The conversation begins.)' }] },
        { role: 'assistant', content: [{ text: 'Welcome.' }] },
        { role: 'user', content: [{ text: 'b' }, { text: 'c' }] },
        { role: 'assistant', content: [{ text: 'e' }] },
      ],
    });
  });

  test('[121] of instructions only is one that a user begins', () => {
    expect(ofChat({ messages: [{ role: 'system', content: 'a' }] }).wire).toEqual({
      messages: [{ role: 'user', content: [{ text: 'a' }] }],
    });
  });

  test('has results first and in the order of their calls, with legal ids that are the same in both', () => {
    const messages = [user, called('call:1/a', 'call_2'), user, result('call_2'), result('call:1/a', '')];
    const { wire } = ofChat({ messages, tools });
    expect(complaints(wire)).toEqual([]);
    const [, calls, results] = wire.messages;
    const id = calls?.content[0]?.toolUse?.toolUseId;
    expect(id).toMatch(/^call_1_a_[\w-]+$/);
    expect(results?.content).toEqual([
      { toolResult: { toolUseId: id, content: [{ text: '(empty)' }] } },
      { toolResult: { toolUseId: 'call_2', content: [{ text: 'done' }] } },
      { text: 'hi' },
    ]);
  });

  test.each([
    [[user, called('a')], 'right behind it'],
    [[user, result('a')], 'right behind it'],
    [[user, called('a'), user, called('b'), result('b')], 'right behind it'],
    [
      [user, { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '[1]' } }] }, result('a')],
      'no JSON object',
    ],
  ])('is refused where calls and results do not fit: %j', (messages, message) => {
    expect(() => ofChat({ messages, tools })).toThrow(message);
  });

  test('[120] [121] whatever it is, is one that a strict server takes', () => {
    const text = fc.constantFrom('', ' ', '\n', 'a', 'b ');
    const id = fc.stringMatching(/^[a-z:./ ]{1,90}$/);
    const round = fc
      .uniqueArray(id, { minLength: 1, maxLength: 3 })
      .chain((ids) =>
        fc
          .tuple(fc.constant(called(...ids)), fc.shuffledSubarray([...ids], { minLength: ids.length }), text)
          .map(([call, order, said]) => [call, ...order.map((one) => result(one, said))]),
      );
    const spoken = fc
      .tuple(fc.constantFrom('system', 'developer', 'user', 'assistant'), text)
      .map(([role, content]) => [{ role, content }]);
    const conversation = fc.array(fc.oneof(spoken, round), { maxLength: 6 }).map((turns) => [...turns.flat(), user]);
    const choice = fc.constantFrom(undefined, 'auto', 'none', 'required');
    fc.assert(
      fc.property(
        conversation,
        fc.boolean(),
        choice,
        fc.constantFrom(claude, nova),
        (messages, declared, wanted, model) => {
          const asked = { messages, ...(declared && { tools, tool_choice: wanted }) };
          expect(complaints(ofChat(asked, model).wire)).toEqual([]);
        },
      ),
    );
  });
});

describe('tools', () => {
  test.each([
    ['auto', { auto: {} }],
    ['required', { any: {} }],
    [{ type: 'function', function: { name: 'f' } }, { tool: { name: 'f' } }],
    [undefined, undefined],
  ])('of which %j is chosen', (choice, expected) => {
    expect(ofChat({ tools, tool_choice: choice }).wire.toolConfig).toEqual({
      tools: [spec],
      ...(expected && { toolChoice: expected }),
    });
  });

  test('[119] of which none may be called are not declared, and what was called before is told in words', () => {
    const messages = [user, called('a'), result('a'), { role: 'user', content: 'and?' }];
    const { wire } = ofChat({ messages, tools, tool_choice: 'none' });
    expect(wire).toEqual({
      messages: [
        { role: 'user', content: [{ text: 'hi' }] },
        { role: 'assistant', content: [{ text: '[Called f with {"a":1}]' }] },
        { role: 'user', content: [{ text: '[The call returned:]' }, { text: 'done' }, { text: 'and?' }] },
      ],
    });
    expect(ofChat({ tools, tool_choice: 'none' }).wire.toolConfig).toBeUndefined();
  });

  test('[120] that only the history knows are declared by their names', () => {
    const { wire } = ofChat({ messages: [user, called('a'), result('a')] });
    expect(wire.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }],
    });
    expect(complaints(wire)).toEqual([]);
  });

  test('are called one at a time where Claude is told so in its own words; others cannot be told', () => {
    const asked = { tools, parallel_tool_calls: false, tool_choice: 'required' };
    expect(ofChat(asked).wire).toMatchObject({
      toolConfig: { tools: [spec] },
      additionalModelRequestFields: { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    });
    expect(ofChat(asked, nova).dropped).toEqual(['parallelToolCalls']);
  });
});

describe('parameters', () => {
  test('have their places', () => {
    const asked = {
      max_tokens: 100,
      temperature: 0.5,
      stop: ['X', ' '],
      top_k: 5,
      service_tier: 'flex',
      stream: true,
      stream_options: { include_usage: true },
    };
    const { wire, dropped } = ofChat(asked);
    expect(wire).toEqual({
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
      inferenceConfig: { maxTokens: 100, stopSequences: ['X'], temperature: 0.5 },
      additionalModelRequestFields: { top_k: 5 },
      serviceTier: { type: 'flex' },
    });
    expect(dropped).toEqual(['stop=clamped']);
  });

  test('that only tune are reported where they are left out or clamped', () => {
    const asked = {
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: 1,
      logit_bias: {},
      user: 'u',
      temperature: 1.6,
      top_k: 3,
    };
    expect(ofChat(asked, nova).dropped).toEqual([
      'seed',
      'presencePenalty',
      'frequencyPenalty',
      'logit_bias',
      'user',
      'topK',
      'temperature=clamped',
    ]);
    expect(ofChat({ max_tokens: 200_000 }).dropped).toEqual(['maxOutputTokens=clamped']);
    expect(ofChat({ max_tokens: 200 }, nova, { maxOutputTokens: 100 }).wire.inferenceConfig).toEqual({
      maxTokens: 100,
    });
  });

  test.each([
    [{ n: 2 }, 'choiceCount must be 1'],
    [{ logprobs: true }, 'topLogprobs is not supported'],
    [{ audio: {} }, 'audio is not supported'],
    [{ modalities: ['text', 'audio'] }, 'modalities must not hold audio'],
  ])('that change the meaning are refused: %j', (body, message) => {
    expect(() => ofChat(body)).toThrow(message);
  });

  test('a schema is kept by models that can, and stands behind a tool for others', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    const format = { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } };
    const { outputConfig } = ofChat({ response_format: format }).wire;
    expect(outputConfig).toMatchObject({
      textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'n' } } },
    });
    const { wire } = ofChat({ response_format: format }, nova);
    expect(wire.toolConfig).toEqual({
      tools: [
        {
          toolSpec: { name: 'sluice_json', description: 'Responds with a JSON object.', inputSchema: { json: schema } },
        },
      ],
      toolChoice: { tool: { name: 'sluice_json' } },
    });
    // The client's own tools may not be called; this one is the answer.
    expect(ofChat({ response_format: format, tools, tool_choice: 'none' }, nova).wire.toolConfig).toEqual(
      wire.toolConfig,
    );
    expect(ofChat({ response_format: { type: 'json_object' } })).toMatchObject({
      wire: { system: [{ text: expect.stringContaining('JSON') as unknown }] },
      dropped: ['responseFormat'],
    });
  });

  test('thinking is asked of Claude as its models take it, with room for an answer and without sampling', () => {
    expect(ofChat({ reasoning_effort: 'low', temperature: 0.2, top_k: 3 })).toMatchObject({
      wire: {
        inferenceConfig: { maxTokens: 64_000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 6400 } },
      },
      dropped: ['topK', 'temperature'],
    });
    expect(ofChat({ reasoning_effort: 'high' }, 'anthropic.claude-opus-4-8-v1:0').wire).toMatchObject({
      outputConfig: { effort: 'high' },
      additionalModelRequestFields: { thinking: { type: 'adaptive' } },
    });
    expect(ofChat({ reasoning_effort: 'low' }, nova).dropped).toEqual(['reasoningEffort']);
    expect(ofChat({ reasoning_effort: 'none' }, nova).dropped).toEqual([]);
  });
});

describe('content', () => {
  const image = (url: string): object => ({
    messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
  });
  const file = (filename: string, mediaType: string): object => ({
    type: 'file',
    file: { filename, file_data: `data:${mediaType};base64,AAAA` },
  });

  test.each([
    ['image/png', 'png'],
    ['image/jpg', 'jpeg'],
    ['image/JPEG', 'jpeg'],
    ['image/gif', 'gif'],
    ['image/webp', 'webp'],
  ])('[122] of the type %s is %s in bytes', (mediaType, format) => {
    expect(ofChat(image(`data:${mediaType};base64,AAAA`)).wire.messages[0]?.content).toEqual([
      { image: { format, source: { bytes: 'AAAA' } } },
    ]);
  });

  test('[122] at an address has to be fetched before, and other types are refused', () => {
    expect(bedrockConverseUpstreamCodec.needsBytes).toBe(true);
    expect(() => ofChat(image('https://x/y.png'))).toThrow('addresses');
    expect(() => ofChat(image('data:image/tiff;base64,AAAA'))).toThrow('image/tiff');
  });

  test('that is a document has a legal name of its own', () => {
    const content = [
      file('a_b & c.pdf', 'application/pdf'),
      file('a/b, c.csv', 'text/csv'),
      file('', 'text/plain'),
      { type: 'text', text: 'read' },
    ];
    expect(ofChat({ messages: [{ role: 'user', content }] }).wire.messages[0]?.content).toEqual([
      { document: { format: 'pdf', name: 'a b c', source: { bytes: 'AAAA' } } },
      { document: { format: 'csv', name: 'a b c 2', source: { bytes: 'AAAA' } } },
      { document: { format: 'txt', name: 'document', source: { bytes: 'AAAA' } } },
      { text: 'read' },
    ]);
  });
});

describe('a client of Anthropic', () => {
  const cached = { cache_control: { type: 'ephemeral' } };

  test('[184] has its cache points where it put them', () => {
    const asked = {
      system: [{ type: 'text', text: 's', ...cached }],
      tools: [{ name: 'f', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        user,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'u', ...cached },
            { type: 'tool_result', tool_use_id: 'a', is_error: true, content: 'no', ...cached },
          ],
        },
      ],
    };
    const point = { cachePoint: { type: 'default' } };
    const { wire } = ofMessages(asked);
    expect(wire.system).toEqual([{ text: 's' }, point]);
    expect(wire.toolConfig?.tools).toEqual([
      { toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } },
      { cachePoint: { type: 'default', ttl: '1h' } },
    ]);
    expect(wire.messages[2]?.content).toEqual([
      { toolResult: { toolUseId: 'a', content: [{ text: 'no' }], status: 'error' } },
      point,
      { text: 'u' },
      point,
    ]);
    expect(JSON.stringify(ofMessages(asked, 'mistral.mistral-large-2407-v1:0').wire)).not.toContain('cachePoint');
  });

  test('[183] has its thinking back with its signature, hidden thinking too; what others thought is left out', () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'aGlkZGVu' },
      { type: 'thinking', thinking: 'of nobody', signature: '' },
      { type: 'thinking', thinking: 'of another', signature: 'google-gemini:x' },
      { type: 'text', text: 'a' },
    ];
    const messages = [user, { role: 'assistant', content }, user];
    expect(ofMessages({ messages }).wire.messages[1]?.content).toEqual([
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'c2ln' } } },
      { reasoningContent: { redactedContent: 'aGlkZGVu' } },
      { text: 'a' },
    ]);
    expect(ofMessages({ messages }, nova).wire.messages[1]?.content).toEqual([{ text: 'a' }]);
  });

  test('[183] has thinking asked for as it said', () => {
    const thinking = { type: 'enabled', budget_tokens: 2000 };
    const { wire, dropped } = ofMessages({ thinking });
    expect(wire).toMatchObject({ inferenceConfig: { maxTokens: 9000 }, additionalModelRequestFields: { thinking } });
    expect(dropped).toEqual([]);
  });
});
