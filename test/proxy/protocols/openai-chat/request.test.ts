import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Message } from '../../../../proxy/canonical/block.ts';
import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import { createOpenaiChatUpstreamCodec, openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { type ChatDialect, openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';

const lenient: ChatDialect = { ...openaiDialect, thinkingMember: 'reasoning_content', dropped: new Set() };
const compatible: ChatDialect = {
  maxTokensMember: 'max_tokens',
  developerRole: false,
  thinkingMember: 'reasoning',
  usageOnRequest: false,
};

function decode(body: unknown): ReturnType<typeof openaiChatClientCodec.decodeRequest> {
  return openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify(body)));
}

function encode(request: ReturnType<typeof decode>, dialect: ChatDialect = openaiDialect): Record<string, unknown> {
  return JSON.parse(createOpenaiChatUpstreamCodec(dialect).encodeRequest(request).body.toString()) as Record<
    string,
    unknown
  >;
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const id = fc.stringMatching(/^call_[a-zA-Z0-9]{1,30}$/);
const own = fc.constantFrom({}, { x_new: { deep: [1, null] } }, { cache_control: { type: 'ephemeral' } });
const optional = { requiredKeys: [] };

const part = fc.oneof(
  fc.tuple(text, own).map(([value, rest]) => ({ type: 'text', text: value, ...rest })),
  fc.tuple(fc.webUrl(), own).map(([url, rest]) => ({ type: 'image_url', image_url: { url, detail: 'low' }, ...rest })),
  text.map((data) => ({
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${Buffer.from(data).toString('base64')}` },
  })),
  text.map((data) => ({ type: 'input_audio', input_audio: { data, format: 'wav', x_new: 1 } })),
  text.map((name) => ({ type: 'file', file: { file_id: 'file-1', filename: name } })),
  text.map((name) => ({ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: name } })),
);
/** Lists of nothing but plain text become one string. */
const parts = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((list) => [...list, { type: 'text', text: 'end', x: 1 }]);
const content = fc.oneof(text, parts);
const toolCall = fc.tuple(id, text, text).map(([callId, name, input]) => {
  return { id: callId, type: 'function', function: { name, arguments: input } };
});
const assistant = fc
  .record(
    {
      content: fc.oneof(content, fc.constant(null)),
      tool_calls: fc.array(toolCall, { minLength: 1, maxLength: 3 }),
      refusal: text,
      reasoning_content: text,
      name: text,
      audio: fc.constant({ id: 'a' }),
    },
    { requiredKeys: ['content'] },
  )
  .map((message) => {
    const { refusal, reasoning_content: thinking, ...rest } = message;
    return {
      role: 'assistant',
      ...rest,
      ...(refusal && { refusal }),
      ...(thinking && { reasoning_content: thinking }),
    };
  });
const message = fc.oneof(
  fc
    .tuple(fc.constantFrom('system', 'developer', 'user'), content, own)
    .map(([role, value, rest]) => ({ role, content: value, ...rest })),
  assistant,
  fc
    .tuple(id, text, own)
    .map(([callId, value, rest]) => ({ role: 'tool', tool_call_id: callId, content: value, ...rest })),
);
const tool = fc.tuple(text, own, own).map(([name, outer, inner]) => {
  const parameters = { type: 'object', properties: { a: { type: 'string' } } };
  return { type: 'function', function: { name, description: 'd', parameters, strict: true, ...inner }, ...outer };
});
const request = fc
  .record(
    {
      model: text,
      messages: fc.array(message, { maxLength: 5 }),
      tools: fc.array(tool, { minLength: 1, maxLength: 3 }),
      tool_choice: fc.constantFrom<unknown>(
        'auto',
        'none',
        'required',
        { type: 'function', function: { name: 'f' } },
        {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      ),
      parallel_tool_calls: fc.boolean(),
      max_completion_tokens: fc.nat(),
      temperature: fc.constantFrom(0, 0.5, 2),
      top_p: fc.constant(0.9),
      top_k: fc.nat(),
      seed: fc.integer(),
      presence_penalty: fc.constant(-1),
      frequency_penalty: fc.constant(1.5),
      n: fc.nat(),
      stop: fc.array(text, { minLength: 1, maxLength: 4 }),
      logit_bias: fc.constant({ '50256': -100 }),
      user: text,
      chat_template_kwargs: fc.constant({ enable_thinking: false }),
      reasoning_effort: fc.constantFrom('low', 'xhigh'),
      response_format: fc.constantFrom<unknown>(
        { type: 'text' },
        { type: 'json_object' },
        { type: 'json_schema', json_schema: { name: 'n', schema: { a: 1 }, strict: true, x_new: 1 } },
      ),
      stream_options: fc.constant({ include_obfuscation: false, include_usage: true }),
    },
    { ...optional, requiredKeys: ['model', 'messages'] },
  )
  .map((body) => ({ ...body, stream: body.stream_options !== undefined }))
  .map(({ stream, ...body }) => (stream ? { ...body, stream } : body));

describe('a request', () => {
  test('comes out as it went in', () => {
    fc.assert(
      fc.property(request, (body) => {
        expect(encode(decode(body), lenient)).toEqual(JSON.parse(JSON.stringify(body)));
      }),
      { numRuns: 500 },
    );
  });

  test('in canonical form names everything that other protocols know', () => {
    const decoded = decode({
      model: 'm',
      stream: true,
      max_tokens: 5,
      max_completion_tokens: 7,
      stop: 'END',
      logprobs: true,
      top_logprobs: 3,
      tool_choice: { type: 'function', function: { name: 'f' } },
      service_tier: 'flex',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          name: 'ada',
          content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: '42' },
      ],
    });
    expect(decoded).toEqual({
      model: 'm',
      stream: true,
      tools: [],
      maxOutputTokens: 7,
      stop: ['END'],
      topLogprobs: 3,
      toolChoice: { type: 'tool', name: 'f' },
      metadata: { 'openai-chat': { service_tier: 'flex' } },
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          name: 'ada',
          content: [{ type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AA==' } }],
        },
        { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', tool: 'f', input: '{"a":1}' }] },
        { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: '42' }] }] },
      ],
    });
  });

  test.each([
    [{}, 'model must be a string.'],
    [{ model: 'm', messages: 'hi' }, 'messages must be a list.'],
    [{ model: 'm', messages: ['hi'] }, 'messages[0] must be an object.'],
    [{ model: 'm', messages: [{ role: 'function', content: '' }] }, 'messages[0].role is not supported.'],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'video_url' }] }] },
      'messages[0].content[0].type is not supported.',
    ],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0].image_url.url must be a string.',
    ],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,x' } }] }] },
      'messages[0].content[0].image_url.url must be base64 where it is a data URL.',
    ],
    [
      { model: 'm', messages: [{ role: 'assistant', tool_calls: [{ type: 'custom' }] }] },
      'messages[0].tool_calls[0].type must be function.',
    ],
    [
      { model: 'm', messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f' } }] }] },
      'messages[0].tool_calls[0].id must be a string.',
    ],
    [
      { model: 'm', messages: [{ role: 'assistant', function_call: {} }] },
      'messages[0].function_call is not supported: use tool_calls.',
    ],
    [{ model: 'm', functions: [] }, 'functions is not supported: use tools.'],
    [{ model: 'm', tools: [{ type: 'web_search' }] }, 'tools[0].type must be function.'],
    [{ model: 'm', tool_choice: { type: 'custom' } }, 'tool_choice.type is not supported.'],
    [{ model: 'm', temperature: 'hot' }, 'temperature must be a number.'],
    [{ model: 'm', stop: [1] }, 'stop must be a string or a list of strings.'],
    [{ model: 'm', response_format: { type: 'grammar' } }, 'response_format.type is not supported.'],
  ])('is refused: %j', (body, message) => {
    expect(() => decode(body)).toThrow(new ClientError('invalid_request', { message }));
  });

  test('changes for a server that knows less', () => {
    const body = {
      model: 'm',
      stream: true,
      max_completion_tokens: 9,
      messages: [{ role: 'developer', content: 'x' }],
    };
    expect(encode(decode(body), compatible)).toEqual({
      model: 'm',
      stream: true,
      max_tokens: 9,
      messages: [{ role: 'system', content: 'x' }],
    });
  });
});

describe('messages of other protocols', () => {
  function wire(...messages: readonly Message[]): unknown {
    return encode({ ...decode({ model: 'm', messages: [] }), messages })['messages'];
  }

  test('results of tools come before what the client says, pictures in them after', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://i/1.png' } } as const;
    expect(
      wire({
        role: 'user',
        content: [
          { type: 'text', text: 'And now?' },
          { type: 'tool-result', callId: 'a', content: [{ type: 'text', text: 'one' }, image] },
          { type: 'tool-result', callId: 'b', content: [{ type: 'text', text: 'boom' }], isError: true },
        ],
      }),
    ).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'one[image]' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: boom' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://i/1.png' } },
          { type: 'text', text: 'And now?' },
        ],
      },
    ]);
  });

  test('texts become one string, thinking is not given to those who refuse it', () => {
    const message: Message = {
      role: 'assistant',
      content: [
        { type: 'thinking', text: 'hm', signature: 's' },
        { type: 'redacted-thinking', data: 'x' },
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    };
    expect(wire(message)).toEqual([{ role: 'assistant', content: 'ab' }]);
    const request = { ...decode({ model: 'm', messages: [] }), messages: [message] };
    expect(encode(request, lenient)['messages']).toEqual([
      { role: 'assistant', content: 'ab', reasoning_content: 'hm' },
    ]);
  });

  test('ids that are too long become the same short one in call and result', () => {
    const long = `toolu_${'x'.repeat(60)}`;
    const [call, result] = wire(
      { role: 'assistant', content: [{ type: 'tool-call', id: long, tool: 'f', input: '{}' }] },
      { role: 'tool', content: [{ type: 'tool-result', callId: long, content: [] }] },
    ) as [{ tool_calls: [{ id: string }] }, { tool_call_id: string }];
    expect(call.tool_calls[0].id).toBe(result.tool_call_id);
    expect(result.tool_call_id.length).toBeLessThanOrEqual(40);
  });

  test('what cannot be said is refused', () => {
    const document = { type: 'document', source: { type: 'file', id: 'f' } } as const;
    const image = { type: 'image', source: { type: 'file', id: 'f' } } as const;
    expect(wire({ role: 'user', content: [document] })).toEqual([
      { role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] },
    ]);
    expect(() => wire({ role: 'user', content: [image] })).toThrow('An image cannot be given by the id of a file.');
  });
});
