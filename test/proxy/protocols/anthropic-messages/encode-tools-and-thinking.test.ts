import { describe, expect, test } from 'vitest';

import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeRequest } from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { encode, opus48, opus5, opus55, request, sonnet37, sonnet45, weather } from './encoded.ts';

const opus46 = 'claude-opus-4-6';

describe('tools', () => {
  test('have a schema that is an object, whatever the client gave', () => {
    const encoded = encode({
      tools: [
        { type: 'function', function: { name: 'a' } },
        { type: 'function', function: { name: 'b', description: 'd', parameters: { properties: {} } } },
      ],
    });
    expect(encoded['tools']).toEqual([
      { name: 'a', input_schema: { type: 'object', properties: {} } },
      { name: 'b', description: 'd', input_schema: { type: 'object', properties: {} } },
    ]);
    expect(encoded).not.toHaveProperty('tool_choice');
  });

  test('are strict where the model keeps a schema, and not too many are', () => {
    const strict = { type: 'function', function: { name: 'a', strict: true, parameters: { type: 'object' } } };
    expect(encode({ tools: [strict] })['tools']).toEqual([
      { name: 'a', input_schema: { type: 'object', additionalProperties: false }, strict: true },
    ]);
    expect(encode({ model: sonnet37, tools: [strict] })['tools']).toEqual([
      { name: 'a', input_schema: { type: 'object' } },
    ]);
    const many = encode({ tools: Array.from({ length: 21 }, () => strict) });
    expect(JSON.stringify(many['tools'])).not.toContain('strict');
  });

  test.each([
    ['none', { type: 'none' }],
    ['auto', { type: 'auto' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'weather' } },
      { type: 'tool', name: 'weather' },
    ],
  ])('[77] the choice %j is %j', (choice, expected) => {
    expect(encode({ tools: [weather], tool_choice: choice })['tool_choice']).toEqual(expected);
  });

  test('[77] calls side by side are disabled', () => {
    const disabled = { disable_parallel_tool_use: true };
    const tools = { tools: [weather], parallel_tool_calls: false };
    expect(encode(tools)['tool_choice']).toEqual({ type: 'auto', ...disabled });
    expect(encode({ ...tools, tool_choice: 'required' })['tool_choice']).toEqual({ type: 'any', ...disabled });
    expect(encode({ ...tools, tool_choice: 'none' })['tool_choice']).toEqual({ type: 'none' });
    expect(encode({ parallel_tool_calls: false })).not.toHaveProperty('tool_choice');
  });

  test('that are not allowed are not sent', () => {
    const other = { type: 'function', function: { name: 'other' } };
    const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'other' } }] };
    const encoded = encode({
      tools: [weather, other],
      tool_choice: { type: 'allowed_tools', allowed_tools: allowed },
    });
    expect(encoded).toMatchObject({ tools: [{ name: 'other' }], tool_choice: { type: 'any' } });
  });

  test('cannot be demanded of the newest models', () => {
    expect(() => encode({ model: opus55, tools: [weather], tool_choice: 'required' })).toThrow(
      new RefusedParameter('toolChoice', 'must not demand a call: this model decides that itself.'),
    );
    expect(encode({ model: opus55, tools: [weather] })).not.toHaveProperty('tool_choice');
  });
});

describe('a response format', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', minimum: 1 } },
    required: ['n'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } };

  test('[78] is one where the model has them', () => {
    const encoded = encode({ response_format: format });
    expect(encoded['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: { ...schema, properties: { n: { type: 'integer', description: '{minimum: 1}' } } },
      },
    });
    expect(encoded).not.toHaveProperty('tools');
  });

  test('[78] is a tool that must be called where it has none', () => {
    const encoded = encode({ model: sonnet37, response_format: format, reasoning_effort: 'high' });
    expect(encoded).toMatchObject({
      tools: [{ name: 'sluice_json', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'sluice_json', disable_parallel_tool_use: true },
      dropped: [{ name: 'reasoningEffort' }],
    });
    expect(encoded).not.toHaveProperty('thinking');
    const beside = encode({ model: sonnet37, response_format: format, tools: [weather] });
    expect(beside).toMatchObject({ tools: [{ name: 'weather' }, {}], tool_choice: { type: 'any' } });
  });

  test('that is any JSON is asked for in words, and reported', () => {
    const encoded = encode({ response_format: { type: 'json_object' } });
    expect(encoded['system']).toMatch(/JSON object only/);
    expect(encoded.dropped).toEqual([{ name: 'responseFormat' }]);
    expect(encode({ response_format: { type: 'text' } }).dropped).toEqual([]);
  });
});

describe('thinking', () => {
  test.each([
    ['low', 6400],
    ['medium', 19_200],
    ['high', 38_400],
    ['xhigh', 57_600],
    ['minimal', 1280],
  ])('[79] %s effort is a budget of %i for models that take one', (effort, tokens) => {
    const encoded = encode({ reasoning_effort: effort, temperature: 0.5 });
    expect(encoded).toMatchObject({
      max_tokens: 64_000,
      thinking: { type: 'enabled', budget_tokens: tokens },
      dropped: [{ name: 'temperature' }],
    });
    expect(encoded).not.toHaveProperty('temperature');
  });

  test('[79] a budget is at least 1024 and less than the output', () => {
    expect(encode({ reasoning_effort: 'low', max_tokens: 2000 })).toMatchObject({ thinking: { budget_tokens: 1024 } });
    expect(encode({ reasoning_effort: 'high', max_tokens: 1025 })).toMatchObject({ thinking: { budget_tokens: 1024 } });
    const tight = encode({ reasoning_effort: 'high', max_tokens: 1024 });
    expect(tight).not.toHaveProperty('thinking');
    expect(tight.dropped).toEqual([{ name: 'reasoningEffort' }]);
  });

  test.each([
    [opus46, 'medium', 'medium', []],
    [opus46, 'xhigh', 'max', [{ name: 'reasoningEffort', clamped: true }]],
    [opus48, 'xhigh', 'xhigh', []],
    [opus5, 'minimal', 'low', [{ name: 'reasoningEffort', clamped: true }]],
    ['claude-next-9', 'max', 'max', []],
  ])('[79] of %s %s effort is %s', (model, effort, expected, dropped) => {
    expect(encode({ model, reasoning_effort: effort })).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: expected },
      dropped,
    });
  });

  test.each([
    [sonnet45, {}, []],
    [opus5, { thinking: { type: 'disabled' } }, []],
    ['claude-sonnet-5-5', { thinking: { type: 'between_tools' } }, []],
    [opus55, { output_config: { effort: 'low' } }, [{ name: 'reasoningEffort', clamped: true }]],
  ])('[79] none is turned off as %s wants it', (model, expected, dropped) => {
    const encoded = encode({ model, reasoning_effort: 'none' });
    expect(encoded).toMatchObject({ ...expected, dropped });
    if (!('thinking' in expected)) expect(encoded).not.toHaveProperty('thinking');
  });

  test('of a model that has none, and an effort that nobody knows, are left out and reported', () => {
    const dropped = [{ name: 'reasoningEffort' }];
    expect(encode({ model: 'claude-3-haiku-20240307', reasoning_effort: 'low' }).dropped).toEqual(dropped);
    expect(encode({ reasoning_effort: 'enormous' }).dropped).toEqual(dropped);
    const forced = encode({ model: opus5, reasoning_effort: 'low', tools: [weather], tool_choice: 'required' });
    expect(forced.dropped).toEqual(dropped);
    expect(forced).not.toHaveProperty('thinking');
  });

  test.each([
    [sonnet45, { type: 'adaptive' }, { thinking: { type: 'enabled', budget_tokens: 19_200 } }],
    [sonnet45, { type: 'budget', tokens: 5000 }, { thinking: { type: 'enabled', budget_tokens: 5000 } }],
    [sonnet45, { type: 'budget', tokens: 1 }, { thinking: { budget_tokens: 1024 } }],
    [opus5, { type: 'adaptive' }, { thinking: { type: 'adaptive', display: 'summarized' } }],
    [opus5, { type: 'budget', tokens: 20_000 }, { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
    [opus5, { type: 'off' }, { thinking: { type: 'disabled' } }],
  ] as const)('of %s as a client of yet another protocol asks for it: %j', (model, thinking, expected) => {
    const { body } = encodeRequest({ ...request({ model }), thinking }, anthropicDialect);
    expect(JSON.parse(body.toString())).toMatchObject(expected);
  });
});
