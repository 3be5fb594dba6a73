import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Message } from '../../../../proxy/canonical/block.ts';
import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { ollamaChatClientCodec, ollamaChatUpstreamCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';
import { ollamaGenerateClientCodec } from '../../../../proxy/protocols/ollama/generate/codec.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { ask, decode, encode, png, request } from './request-wire.ts';

function fromOpenAi(body: object): CanonicalRequest {
  return openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify({ ...ask, ...body })));
}

describe('a request to a server', () => {
  test('[130] says whether it is to stream', () => {
    expect(encode(request())).toEqual({ model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: false });
    expect(encode(request({ stream: true }))['stream']).toBe(true);
  });

  test('[135] has the parameters under their names', () => {
    const wire = encode(
      fromOpenAi({
        max_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        seed: 7,
        presence_penalty: 1,
        frequency_penalty: -1,
        stop: 'END',
        logprobs: true,
        top_logprobs: 2,
        response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
      }),
    );
    expect(wire).toMatchObject({
      options: {
        num_predict: 100,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        seed: 7,
        presence_penalty: 1,
        frequency_penalty: -1,
        stop: ['END'],
      },
      format: { type: 'object' },
      logprobs: true,
      top_logprobs: 2,
    });
    expect(encode(fromOpenAi({ response_format: { type: 'json_object' } }))['format']).toBe('json');
    expect(encode(fromOpenAi({ response_format: { type: 'text' } }))).not.toHaveProperty('format');
  });

  test.each([
    [{ reasoningEffort: 'none' }, false, []],
    [{ reasoningEffort: 'minimal' }, 'low', []],
    [{ reasoningEffort: 'high' }, 'high', []],
    [{ reasoningEffort: 'xhigh' }, 'max', []],
    [{ reasoningEffort: 'max' }, 'max', []],
    [{ reasoningEffort: 'odd' }, undefined, [{ name: 'reasoningEffort' }]],
    [{ reasoningEffort: 'none', thinking: { type: 'adaptive' } as const }, false, []],
    [{ thinking: { type: 'off' } as const, reasoningEffort: 'high' }, false, []],
    [{ thinking: { type: 'adaptive' } as const }, true, []],
    [{ thinking: { type: 'adaptive' } as const, reasoningEffort: 'low' }, 'low', []],
    [{ thinking: { type: 'budget', tokens: 2048 } as const }, true, [{ name: 'thinking', clamped: true }]],
  ])('[135] says how much to think: %j is %j', (members, think, dropped) => {
    expect(encode(request(members))['think']).toBe(think);
    expect(ollamaChatUpstreamCodec.encodeRequest(request(members)).dropped).toEqual(dropped);
  });

  const tools = [
    { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
    { name: 'g', parameters: { type: 'object' } },
  ];

  test.each([
    [undefined, ['f', 'g'], []],
    [{ type: 'auto' } as const, ['f', 'g'], []],
    [{ type: 'none' } as const, undefined, []],
    [{ type: 'required' } as const, ['f', 'g'], [{ name: 'toolChoice' }]],
    [{ type: 'tool', name: 'g' } as const, ['g'], [{ name: 'toolChoice', clamped: true }]],
    [{ type: 'allowed', required: false, names: ['f'] } as const, ['f'], []],
    [{ type: 'allowed', required: true, names: ['f'] } as const, ['f'], [{ name: 'toolChoice', clamped: true }]],
  ])('has the tools that were chosen: %j', (toolChoice, names, dropped) => {
    const encoded = ollamaChatUpstreamCodec.encodeRequest(request({ tools, ...(toolChoice && { toolChoice }) }));
    const wire = JSON.parse(encoded.body.toString()) as { tools?: { function: { name: string } }[] };
    expect(wire.tools?.map((tool) => tool.function.name)).toEqual(names);
    expect(encoded.dropped).toEqual(dropped);
  });

  test('has tools as OpenAI has them, but for strictness', () => {
    expect(encode(request({ tools }))['tools']).toEqual([
      { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } },
      { type: 'function', function: { name: 'g', parameters: { type: 'object' } } },
    ]);
  });

  test('names what it leaves out', () => {
    const decoded = fromOpenAi({
      parallel_tool_calls: false,
      logit_bias: { '1': 2 },
      metadata: { a: 'b' },
      stream: true,
      stream_options: { include_usage: true },
    });
    const { dropped } = ollamaChatUpstreamCodec.encodeRequest({ ...decoded, userId: 'u' });
    expect(dropped.map(({ name }) => name)).toEqual(['parallelToolCalls', 'userId', 'logit_bias', 'metadata']);
  });

  test.each([
    [{ n: 2 }, 'choiceCount', 'must be 1: this model gives one answer at a time.'],
    [{ web_search_options: {} }, 'web_search_options', 'is not supported: this model does not search.'],
    [
      { modalities: ['audio'], audio: { voice: 'x' } },
      'modalities',
      'must not hold audio: this model answers in text.',
    ],
  ])('is refused where it would have to be another one: %j', (members, name, why) => {
    const decoded = fromOpenAi(members);
    expect(() => ollamaChatUpstreamCodec.encodeRequest(decoded)).toThrow(new RefusedParameter(name, why));
  });

  test.each([
    [{ reasoningEffort: 'high' }, [{ name: 'reasoningEffort' }]],
    [{ thinking: { type: 'budget', tokens: 2048 } as const }, [{ name: 'thinking' }]],
    [{ thinking: { type: 'adaptive' } as const }, []],
  ])('asks no model to think that does not: %j', (members, dropped) => {
    const encoded = ollamaChatUpstreamCodec.encodeRequest(request(members), { capabilities: ['Tools'] });
    expect(encoded.dropped).toEqual(dropped);
    expect(encoded.body.toString()).not.toContain('"think"');
  });

  test('[129] has arguments that are objects, and names the tool of each result', () => {
    const wire = encode(
      fromOpenAi({
        messages: [
          { role: 'developer', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
          {
            role: 'assistant',
            content: null,
            reasoning_content: 'Hm',
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"x":[1]}' } },
              { id: 'call_2', type: 'function', function: { name: 'g', arguments: '' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: 'F' },
          { role: 'tool', tool_call_id: 'call_2', content: 'G' },
        ],
      }),
    );
    expect(wire['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'ab' },
      {
        role: 'assistant',
        content: '',
        thinking: 'Hm',
        tool_calls: [
          { id: 'call_1', function: { index: 0, name: 'f', arguments: { x: [1] } } },
          { id: 'call_2', function: { index: 1, name: 'g', arguments: {} } },
        ],
      },
      { role: 'tool', content: 'F', tool_name: 'f', tool_call_id: 'call_1' },
      { role: 'tool', content: 'G', tool_name: 'g', tool_call_id: 'call_2' },
    ]);
  });

  test('has the results of a turn before everything else in it, and pictures where models see them', () => {
    const image = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: png } } as const;
    const calls: Message = {
      role: 'assistant',
      content: [{ type: 'tool-call', id: 'toolu_1', tool: 'f', input: '{}' }],
    };
    const turn: Message = {
      role: 'user',
      content: [
        { type: 'text', text: 'And now?' },
        { type: 'tool-result', callId: 'toolu_1', isError: true, content: [{ type: 'text', text: 'no ' }, image] },
      ],
    };
    expect(encode(request({ messages: [calls, turn] }))['messages']).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', content: 'Error: no [image]', tool_name: 'f', tool_call_id: 'toolu_1' },
      { role: 'user', content: 'And now?', images: [png] },
    ]);
  });

  test.each([
    [
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' } } as const,
      'An image cannot be given to this model by its address.',
    ],
    [
      { type: 'image', source: { type: 'file', id: 'f' } } as const,
      'An image cannot be given to this model by the id of a file.',
    ],
    [{ type: 'audio', format: 'wav', data: '' } as const, 'A audio block cannot be given to this model.'],
    [
      { type: 'document', source: { type: 'file', id: 'f' } } as const,
      'A document block cannot be given to this model.',
    ],
  ])('is refused with %j', (block, message) => {
    expect(ollamaChatUpstreamCodec.needsBytes).toBe(true);
    expect(() => encode(request({ messages: [{ role: 'user', content: [block] }] }))).toThrow(
      new ClientError('invalid_request', { message }),
    );
  });

  test.each(['{"a"', '[1]', '7'])('is refused with a call whose arguments are %s', (input) => {
    const content = [{ type: 'tool-call', id: 'c', tool: 'f', input } as const];
    expect(() => encode(request({ messages: [{ role: 'assistant', content }] }))).toThrow(
      'tool f are not a JSON object',
    );
  });
});

describe('a chat request', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const own = fc.constantFrom({}, { x_new: { deep: [1, 'a'] } });
  const images = fc.constantFrom({}, { images: [png] });
  const args = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue(), { maxKeys: 3 });
  const message = fc.oneof(
    fc.tuple(fc.constantFrom('system', 'user'), text, images, own).map(([role, content, pictures, rest]) => {
      return { role, content, ...pictures, ...rest };
    }),
    fc.tuple(text, fc.option(text), own).map(([content, thinking, rest]) => {
      return { role: 'assistant', content, ...(thinking !== null && { thinking }), ...rest };
    }),
  );
  /** A turn with calls, and the results of all of them. */
  const round = fc
    .array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), args, text), { minLength: 1, maxLength: 3 })
    .map((calls) => [
      {
        role: 'assistant',
        content: '',
        tool_calls: calls.map(([name, input], index) => ({
          id: `call_${index}`,
          function: { index, name, arguments: input },
        })),
      },
      ...calls.map(([name, , content], index) => ({
        role: 'tool',
        content,
        tool_name: name,
        tool_call_id: `call_${index}`,
      })),
    ]);
  const body = fc.record(
    {
      model: text,
      messages: fc
        .array(
          fc.oneof(
            message.map((one) => [one]),
            round,
          ),
          { maxLength: 4 },
        )
        .map((turns) => turns.flat()),
      stream: fc.boolean(),
      tools: fc.constant([
        {
          type: 'function',
          function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} }, x: 1 },
        },
      ]),
      format: fc.constantFrom<unknown>('json', { type: 'object', required: ['a'] }),
      think: fc.constantFrom<unknown>(true, false, 'low', 'high', 'max'),
      keep_alive: fc.constantFrom<unknown>(0, '5m'),
      truncate: fc.boolean(),
      options: fc.record(
        {
          num_predict: fc.integer({ min: 1, max: 1000 }),
          temperature: fc.constantFrom(0, 0.5),
          top_k: fc.nat(),
          seed: fc.integer(),
          stop: fc.array(text, { minLength: 1, maxLength: 3 }),
          num_ctx: fc.nat(),
          mirostat: fc.nat(),
        },
        { requiredKeys: ['num_ctx'] },
      ),
    },
    { requiredKeys: ['model', 'messages', 'stream'] },
  );

  test('comes out as it went in', () => {
    fc.assert(
      fc.property(body, (wire) => {
        expect(encode(decode(wire))).toEqual(JSON.parse(JSON.stringify(wire)));
      }),
      { numRuns: 300 },
    );
  });

  test('has its own names for parameters', () => {
    const names = ['maxOutputTokens', 'stop', 'reasoningEffort', 'responseFormat', 'toolChoice'];
    const expected = ['options.num_predict', 'options.stop', 'think', 'format', 'toolChoice'];
    for (const codec of [ollamaChatClientCodec, ollamaGenerateClientCodec]) {
      expect(names.map((name) => codec.nameParameter(name))).toEqual(expected);
    }
  });
});
