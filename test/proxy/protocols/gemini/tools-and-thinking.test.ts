import { describe, expect, test } from 'vitest';

import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import type { UpstreamModel } from '../../../../proxy/protocols/protocol.ts';
import { write } from './written.ts';

const tool = { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } };

describe('thinking', () => {
  const configOf = (model: string, request: Partial<CanonicalRequest>, config?: UpstreamModel) => {
    const { wire, dropped } = write({ model, ...request }, 'gemini', config);
    const generation = wire['generationConfig'] as { thinkingConfig?: unknown } | undefined;
    return [generation?.thinkingConfig, dropped.map((each) => (each as { clamped?: boolean }).clamped === true)];
  };

  test.each([
    ['gemini-2.5-flash', 'low', { includeThoughts: true, thinkingBudget: 6553 }, []],
    ['gemini-2.5-flash', 'max', { includeThoughts: true, thinkingBudget: 24_576 }, []],
    ['gemini-2.5-pro', 'high', { includeThoughts: true, thinkingBudget: 32_768 }, []],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }, []],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }, [true]],
    ['gemini-2.5-flash', 'ultra', { includeThoughts: true }, [false]],
    ['gemini-3-pro-preview', 'medium', { includeThoughts: true, thinkingLevel: 'HIGH' }, [true]],
    ['gemini-3-pro-preview', 'none', { thinkingLevel: 'LOW' }, [true]],
    ['gemini-3-flash-preview', 'minimal', { includeThoughts: true, thinkingLevel: 'MINIMAL' }, []],
    ['gemini-3-flash-preview', 'xhigh', { includeThoughts: true, thinkingLevel: 'HIGH' }, [true]],
    ['gemini-3.1-pro-preview', 'medium', { includeThoughts: true, thinkingLevel: 'MEDIUM' }, []],
    ['gemini-2.0-flash', 'high', undefined, [false]],
    ['gemini-2.0-flash', 'none', undefined, []],
  ])('of %s in words: %s', (model, reasoningEffort, config, dropped) => {
    expect(configOf(model, { reasoningEffort })).toEqual([config, dropped]);
  });

  test.each([
    ['gemini-2.5-flash', { type: 'budget', tokens: 2000 }, { includeThoughts: true, thinkingBudget: 2000 }, []],
    ['gemini-2.5-flash-lite', { type: 'budget', tokens: 100 }, { includeThoughts: true, thinkingBudget: 512 }, [true]],
    ['gemini-2.5-flash', { type: 'adaptive' }, { includeThoughts: true, thinkingBudget: -1 }, []],
    ['gemini-2.5-flash', { type: 'off' }, { thinkingBudget: 0 }, []],
    ['gemini-3-flash-preview', { type: 'adaptive' }, { includeThoughts: true }, []],
    [
      'gemini-3-flash-preview',
      { type: 'budget', tokens: 4096 },
      { includeThoughts: true, thinkingLevel: 'LOW' },
      [true],
    ],
    [
      'gemini-3-flash-preview',
      { type: 'budget', tokens: 99_999 },
      { includeThoughts: true, thinkingLevel: 'HIGH' },
      [true],
    ],
  ] as const)('of %s as %j', (model, thinking, config, dropped) => {
    expect(configOf(model, { thinking })).toEqual([config, dropped]);
  });

  test('leaves room for an answer, and is not asked of a model that does not', () => {
    expect(configOf('gemini-2.5-flash', { reasoningEffort: 'medium', maxOutputTokens: 1000 })[0]).toEqual({
      includeThoughts: true,
      thinkingBudget: 500,
    });
    expect(configOf('gemini-2.5-flash', { reasoningEffort: 'high' }, { maxOutputTokens: 10_000 })[0]).toMatchObject({
      thinkingBudget: 6000,
    });
    expect(configOf('gemini-2.5-flash', { reasoningEffort: 'high' }, { capabilities: ['Tools'] })).toEqual([
      undefined,
      [false],
    ]);
  });
});

describe('tools', () => {
  test('[96] without parameters have none', () => {
    for (const parameters of [undefined, {}, { type: 'object' }, { type: 'object', properties: {} }]) {
      for (const model of ['gemini-2.0-flash', 'gemini-2.5-flash']) {
        const { wire } = write({ model, tools: [{ name: 'f', description: 'd', parameters }] });
        expect(wire['tools']).toEqual([{ functionDeclarations: [{ name: 'f', description: 'd' }] }]);
      }
    }
  });

  test('[95] have schemas as they are for models that read them', () => {
    const parameters = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { a: { type: ['string', 'null'] } },
      additionalProperties: false,
    };
    const { wire } = write({ tools: [{ name: 'f', parameters, strict: true }] });
    const { $schema: _, ...rest } = parameters;
    expect(wire['tools']).toEqual([{ functionDeclarations: [{ name: 'f', parametersJsonSchema: rest }] }]);
  });

  test.each([
    [{ type: 'auto' }, { mode: 'AUTO' }, 2],
    [{ type: 'none' }, { mode: 'NONE' }, 2],
    [{ type: 'required' }, { mode: 'ANY' }, 2],
    [{ type: 'tool', name: 'g' }, { mode: 'ANY', allowedFunctionNames: ['g'] }, 2],
    [{ type: 'allowed', required: true, names: ['g'] }, { mode: 'ANY', allowedFunctionNames: ['g'] }, 2],
    [{ type: 'allowed', required: false, names: ['g'] }, { mode: 'AUTO' }, 1],
  ] as const)('with the choice %j', (toolChoice, functionCallingConfig, told) => {
    const { wire } = write({ toolChoice, tools: [tool, { ...tool, name: 'g' }] });
    expect(wire['toolConfig']).toEqual({ functionCallingConfig });
    expect(wire['tools']).toMatchObject([{ functionDeclarations: { length: told } }]);
  });

  test('are not chosen among where there are none', () => {
    expect(write({ toolChoice: { type: 'required' } }).wire).not.toHaveProperty('toolConfig');
  });
});

describe('a response format', () => {
  const schema = { type: 'object', properties: { a: { const: 'x' } }, additionalProperties: false };
  const responseFormat = { type: 'json-schema', name: 'n', schema, strict: true } as const;

  test('[108] is a JSON schema for models that read them, and what the older ones know', () => {
    expect(write({ responseFormat }).wire['generationConfig']).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
    expect(write({ responseFormat, model: 'gemini-2.0-flash' }).wire['generationConfig']).toEqual({
      responseMimeType: 'application/json',
      responseSchema: { type: 'object', properties: { a: { type: 'string', format: 'enum', enum: ['x'] } } },
    });
  });

  test('may be any JSON, or text', () => {
    expect(write({ responseFormat: { type: 'json' } }).wire['generationConfig']).toEqual({
      responseMimeType: 'application/json',
    });
    expect(write({ responseFormat: { type: 'text' } }).wire).not.toHaveProperty('generationConfig');
    expect(write({ responseFormat, tools: [tool], model: 'gemini-3-pro-preview' }).wire).toHaveProperty('tools');
  });
});
