import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { ollamaChatClientCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';
import { ollamaEmbedClientCodec, ollamaEmbeddingsClientCodec } from '../../../../proxy/protocols/ollama/embed/codec.ts';
import { ollamaGenerateClientCodec } from '../../../../proxy/protocols/ollama/generate/codec.ts';
import { createOpenaiChatUpstreamCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { ask, decode, png, request, type Wire } from './request-wire.ts';
import { sentBy } from './sdk.ts';

function decodeGenerate(body: unknown): CanonicalRequest {
  return ollamaGenerateClientCodec.decodeRequest(Buffer.from(JSON.stringify(body)));
}

function toOpenAi(decoded: CanonicalRequest): Wire {
  const { body } = createOpenaiChatUpstreamCodec(openaiDialect).encodeRequest(decoded);
  return JSON.parse(body.toString()) as Wire;
}

describe('a chat request of a client', () => {
  test('is read whole', async () => {
    const body = await sentBy((client) =>
      client.chat({
        model: 'llama3.2',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What is this?', images: [new Uint8Array(Buffer.from(png, 'base64'))] },
        ],
        stream: true,
        keep_alive: '5m',
        options: { num_ctx: 8192, temperature: 0 },
      }),
    );
    expect(ollamaChatClientCodec.decodeRequest(body)).toEqual({
      model: 'llama3.2',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: png } },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
      tools: [],
      stop: [],
      stream: true,
      temperature: 0,
      metadata: { ollama: { keep_alive: '5m', options: { num_ctx: 8192 } } },
    });
  });

  test.each([
    [{}, {}],
    [{ num_predict: -1 }, {}],
    [{ num_predict: -2 }, {}],
    [{ num_predict: 0 }, {}],
    [{ num_predict: 100.0 }, { maxOutputTokens: 100 }],
    [
      { temperature: 0.5, top_p: 0.9, top_k: 40 },
      { temperature: 0.5, topP: 0.9, topK: 40 },
    ],
    [
      { seed: 42, stop: ['a', 'b'] },
      { seed: 42, stop: ['a', 'b'] },
    ],
    [{ stop: 'a' }, { stop: ['a'] }],
    [
      { presence_penalty: 1.5, frequency_penalty: -1 },
      { presencePenalty: 1.5, frequencyPenalty: -1 },
    ],
    [
      { mirostat: 1, repeat_penalty: 1.1, min_p: 0 },
      { metadata: { ollama: { options: { mirostat: 1, repeat_penalty: 1.1, min_p: 0 } } } },
    ],
  ])('[195] options %j', (options, members) => {
    expect(decode({ ...ask, options })).toEqual({ ...request({ stream: true }), ...members });
  });

  test.each([
    [undefined, {}],
    [true, { thinking: { type: 'adaptive' } }],
    [false, { thinking: { type: 'off' } }],
    ['low', { reasoningEffort: 'low' }],
    ['max', { reasoningEffort: 'max' }],
    ['none', { thinking: { type: 'off' } }],
  ])('[194] think %j', (think, members) => {
    expect(decode({ ...ask, think })).toEqual({ ...request({ stream: true }), ...members });
  });

  test.each([
    [undefined, undefined],
    ['', undefined],
    ['json', { type: 'json' }],
    [{ type: 'object' }, { type: 'json-schema', name: 'response', schema: { type: 'object' } }],
  ])('[193] format %j', (format, expected) => {
    expect(decode({ ...ask, format }).responseFormat).toEqual(expected);
  });

  test('[193] a format reaches a server of OpenAI', () => {
    const schema = { type: 'object', properties: { age: { type: 'integer' } } };
    expect(toOpenAi(decode({ ...ask, format: schema }))['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'response', schema },
    });
    expect(toOpenAi(decode({ ...ask, format: 'json' }))['response_format']).toEqual({ type: 'json_object' });
  });

  test('log probabilities are asked for', () => {
    expect(decode({ ...ask, logprobs: true }).topLogprobs).toBe(0);
    expect(decode({ ...ask, logprobs: true, top_logprobs: 3 }).topLogprobs).toBe(3);
    expect(decode({ ...ask, top_logprobs: 3 }).topLogprobs).toBeUndefined();
  });

  test.each([
    ['image/png', '89504e470d0a1a0a0000000d49484452'],
    ['image/jpeg', 'ffd8ffe000104a464946000101000001'],
    ['image/gif', '4749463839610100010080000000000000'],
    ['image/webp', '524946463c00000057454250565038'],
  ])('[192] pictures are told by their first bytes: %s', (mediaType, hex) => {
    const data = Buffer.from(hex, 'hex').toString('base64');
    const broken = `${data.slice(0, 4)}\n${data.slice(4)}`;
    for (const image of [data, broken, `data:image/x;base64,${data}`]) {
      expect(decode({ ...ask, messages: [{ role: 'user', content: '', images: [image] }] }).messages).toEqual([
        { role: 'user', content: [{ type: 'image', source: { type: 'base64', mediaType, data } }] },
      ]);
    }
  });

  test.each([
    [
      { messages: [{ role: 'user', images: ['aGVsbG8='] }] },
      'messages[0].images[0] must be a PNG, JPEG, GIF or WebP in base64.',
    ],
    [{ messages: [{ role: 'user', images: 'x' }] }, 'messages[0].images must be a list.'],
    [{ messages: [{ role: 'user', content: [] }] }, 'messages[0].content must be a string.'],
    [{ messages: [{ role: 'robot', content: '' }] }, 'messages[0].role is not supported.'],
    [{ messages: [{ content: '' }] }, 'messages[0].role must be a string.'],
    [{ messages: {} }, 'messages must be a list.'],
    [{ options: { temperature: 'hot' } }, 'options.temperature must be a number.'],
    [{ options: { stop: [1] } }, 'options.stop must be a list of strings.'],
    [{ options: [] }, 'options must be an object.'],
    [{ think: 'hard' }, 'think must be true, false, low, medium, high or max.'],
    [{ format: 'xml' }, 'format must be json or a JSON schema.'],
    [{ tools: [{ type: 'retrieval' }] }, 'tools[0].type must be function.'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name must be a string.'],
    [{ _debug_render_only: true }, '_debug_render_only is not supported.'],
    [{ model: undefined }, 'model must be a string.'],
  ])('is refused with %j', (members, message) => {
    expect(() => decode({ ...ask, ...members })).toThrow(new ClientError('invalid_request', { message }));
  });

  test('that is no JSON is refused', () => {
    expect(() => ollamaChatClientCodec.decodeRequest(Buffer.from('{'))).toThrow(new ClientError('invalid_json'));
  });
});

describe('[191] results of tools', () => {
  const call = (name: string, id?: string): Wire => ({ ...(id && { id }), function: { name, arguments: { a: 1 } } });
  const assistant = (...calls: Wire[]): Wire => ({ role: 'assistant', content: '', tool_calls: calls });

  function pairs(...messages: Wire[]): unknown {
    const decoded = decode({ ...ask, messages: [...ask.messages, ...messages] });
    return decoded.messages.flatMap(({ content }) =>
      content.flatMap((block) => {
        if (block.type === 'tool-call') return [`${block.tool} ${block.id}`];
        if (block.type !== 'tool-result') return [];
        const [said] = block.content;
        return [`${said?.type === 'text' ? said.text : ''} → ${block.callId}`];
      }),
    );
  }

  test.each([
    [
      'a name',
      [assistant(call('f')), { role: 'tool', tool_name: 'f', content: 'F' }],
      ['f call_m1_0', 'F → call_m1_0'],
    ],
    [
      'names out of order',
      [
        assistant(call('f'), call('g')),
        { role: 'tool', tool_name: 'g', content: 'G' },
        { role: 'tool', tool_name: 'f', content: 'F' },
      ],
      ['f call_m1_0', 'g call_m1_1', 'G → call_m1_1', 'F → call_m1_0'],
    ],
    [
      'the order of calls of one tool',
      [
        assistant(call('f'), call('f')),
        { role: 'tool', tool_name: 'f', content: '1' },
        { role: 'tool', tool_name: 'f', content: '2' },
      ],
      ['f call_m1_0', 'f call_m1_1', '1 → call_m1_0', '2 → call_m1_1'],
    ],
    [
      'the order alone',
      [assistant(call('f'), call('g')), { role: 'tool', content: '1' }, { role: 'tool', name: 'g', content: '2' }],
      ['f call_m1_0', 'g call_m1_1', '1 → call_m1_0', '2 → call_m1_1'],
    ],
    [
      'ids, which count before names',
      [
        assistant(call('f', 'call_x'), call('f', 'call_y')),
        { role: 'tool', tool_name: 'f', tool_call_id: 'call_y', content: 'Y' },
        { role: 'tool', tool_name: 'f', content: 'X' },
      ],
      ['f call_x', 'f call_y', 'Y → call_y', 'X → call_x'],
    ],
    [
      'the latest turn',
      [
        assistant(call('f')),
        { role: 'tool', tool_name: 'f', content: '1' },
        assistant(call('f')),
        { role: 'tool', tool_name: 'f', content: '2' },
      ],
      ['f call_m1_0', '1 → call_m1_0', 'f call_m3_0', '2 → call_m3_0'],
    ],
  ])('belong to calls by %s', (_, messages, expected) => {
    expect(pairs(...messages)).toEqual(expected);
  });

  test('without a call that is left are refused', () => {
    const result = { role: 'tool', tool_name: 'f', content: '1' };
    expect(() => pairs(result)).toThrow('messages[1].role is tool, but no call');
    expect(() => pairs(assistant(call('f')), result, result)).toThrow('messages[3].role is tool, but no call');
  });

  test('reach a server of OpenAI with the ids of their calls', () => {
    const messages = [
      ...ask.messages,
      assistant(call('f'), call('g')),
      { role: 'tool', tool_name: 'g', content: 'G' },
      { role: 'tool', tool_name: 'f', content: 'F' },
    ];
    const wire = toOpenAi(decode({ ...ask, messages }));
    expect(wire['messages']).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_m1_0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          { id: 'call_m1_1', type: 'function', function: { name: 'g', arguments: '{"a":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_m1_1', content: 'G' },
      { role: 'tool', tool_call_id: 'call_m1_0', content: 'F' },
    ]);
  });

  test.each([
    [{ a: 1 }, '{"a":1}'],
    [undefined, '{}'],
    ['', '{}'],
    ['{"a": 1}', '{"a": 1}'],
  ])('calls may have the arguments %j', (input, expected) => {
    const messages = [assistant({ function: { name: 'f', arguments: input } })];
    expect(decode({ ...ask, messages }).messages[0]?.content).toEqual([
      { type: 'tool-call', id: 'call_m0_0', tool: 'f', input: expected },
    ]);
  });

  test('calls with arguments that are no JSON are refused', () => {
    const messages = [assistant({ function: { name: 'f', arguments: '{"a"' } })];
    expect(() => decode({ ...ask, messages })).toThrow(
      'messages[0].tool_calls[0].function.arguments must be an object.',
    );
  });
});

describe('[200] a generate request of a client', () => {
  test('is what the user says', async () => {
    const body = await sentBy((client) =>
      client.generate({ model: 'm', prompt: 'Why?', system: 'Be brief.', images: [png], think: true, format: 'json' }),
    );
    expect(ollamaGenerateClientCodec.decodeRequest(body)).toMatchObject({
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'Why?' }] },
      ],
      stream: false,
      thinking: { type: 'adaptive' },
      responseFormat: { type: 'json' },
    });
  });

  test('streams unless it says otherwise', () => {
    expect(decodeGenerate({ model: 'm', prompt: 'p' })).toEqual({
      ...request({ stream: true }),
      messages: [{ role: 'user', content: [{ type: 'text', text: 'p' }] }],
    });
  });

  test.each(['raw', 'template', 'suffix', 'context'])('is refused with %s', (name) => {
    const value = { raw: true, template: '{{ .Prompt }}', suffix: 'x', context: [1] }[name];
    expect(() => decodeGenerate({ model: 'm', prompt: 'p', [name]: value })).toThrow(`${name} is not supported.`);
  });

  test('may have them without anything in them', () => {
    const body = { model: 'm', prompt: 'p', raw: false, template: '', suffix: '', context: [] };
    expect(decodeGenerate(body).metadata).toEqual({});
  });
});

test('whatever a client sends is read or refused', () => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', 'a', 0, -1, true, null, [], {}));
  const call = fc.record({ id: odd, function: fc.oneof(odd, fc.record({ name: odd, arguments: odd })) });
  const message = fc.record(
    {
      role: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('user', 'assistant', 'tool', 'SYSTEM') },
        { weight: 1, arbitrary: odd },
      ),
      content: odd,
      thinking: odd,
      images: fc.oneof(odd, fc.array(odd)),
      tool_calls: fc.oneof(odd, fc.array(call)),
      tool_name: odd,
      tool_call_id: odd,
    },
    { requiredKeys: ['role'] },
  );
  const body = fc.record(
    {
      model: fc.oneof({ weight: 4, arbitrary: fc.constant('m') }, { weight: 1, arbitrary: odd }),
      messages: fc.oneof(fc.array(message, { maxLength: 3 }), odd),
      prompt: odd,
      system: odd,
      input: odd,
      tools: odd,
      format: odd,
      think: odd,
      options: odd,
      stream: odd,
      raw: odd,
    },
    { requiredKeys: ['model'] },
  );
  const codecs = [
    ollamaChatClientCodec,
    ollamaGenerateClientCodec,
    ollamaEmbedClientCodec,
    ollamaEmbeddingsClientCodec,
  ];
  fc.assert(
    fc.property(body, fc.constantFrom(...codecs), (value, codec) => {
      try {
        expect(codec.decodeRequest(Buffer.from(JSON.stringify(value))).model).toBeTypeOf('string');
      } catch (error) {
        expect(error).toBeInstanceOf(ClientError);
      }
    }),
    { numRuns: 500 },
  );
});
