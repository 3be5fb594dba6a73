import { describe, expect, test } from 'vitest';

import type { Block, Message } from '../../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { cohereUpstreamCodec } from '../../../../proxy/protocols/cohere/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { UpstreamModel } from '../../../../proxy/protocols/protocol.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { checkRequest } from './strict-server.ts';

/** Writes a request as it would go out, past the strict server. */
function write(request: Partial<CanonicalRequest>, config?: UpstreamModel) {
  const messages: readonly Message[] = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }];
  const asked = { model: 'command-a-03-2025', messages, tools: [], stop: [], stream: false, metadata: {}, ...request };
  const { body, dropped } = cohereUpstreamCodec.encodeRequest(asked, config);
  const wire = JSON.parse(body.toString()) as Record<string, unknown>;
  checkRequest(wire);
  return { wire, dropped };
}

/** The same of what a client of OpenAI's sends. */
function writeChat(body: object) {
  const asked = { messages: [{ role: 'user', content: 'hi' }], model: 'command-a-03-2025', ...body };
  return write(openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify(asked))));
}

function refusalOf(request: Partial<CanonicalRequest>): string {
  try {
    write(request);
  } catch (error) {
    if (error instanceof RefusedParameter) return `${error.parameter} ${error.why}`;
    throw error;
  }
  throw new Error('was not refused');
}

const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const tools = [
  { name: 'f', parameters },
  { name: 'g', description: 'd' },
];

describe('parameters', () => {
  test('[125] have their own names here', () => {
    const { wire, dropped } = writeChat({
      max_completion_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      stop: 'a',
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(wire).toEqual({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 100,
      temperature: 0.5,
      p: 0.9,
      k: 40,
      seed: 7,
      stop_sequences: ['a'],
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      stream: true,
    });
    expect(dropped).toEqual([]);
  });

  test('that cannot be told are put as near as it goes, or left out, and reported', () => {
    const { wire, dropped } = writeChat({
      temperature: 1.5,
      top_p: 1,
      presence_penalty: -1,
      parallel_tool_calls: false,
      user: 'u',
      logit_bias: {},
    });
    expect(wire).toMatchObject({ temperature: 1, p: 0.99, presence_penalty: 0, stream: false });
    expect(dropped).toEqual([
      { name: 'temperature', clamped: true },
      { name: 'topP', clamped: true },
      { name: 'presencePenalty', clamped: true },
      { name: 'parallelToolCalls' },
      { name: 'user' },
      { name: 'logit_bias' },
    ]);
  });

  test.each([
    [{ choiceCount: 2 }, 'choiceCount must be 1'],
    [{ stop: ['1', '2', '3', '4', '5', '6'] }, 'stop must have at most 5'],
    [{ topLogprobs: 0 }, 'topLogprobs is not supported'],
    [{ tools, responseFormat: { type: 'json' } }, 'responseFormat must be text'],
    [{ metadata: { 'openai-chat': { web_search_options: {} } } }, 'web_search_options is not supported'],
    [{ metadata: { 'openai-chat': { modalities: ['audio'] } } }, 'modalities must not hold audio'],
  ] as const)('%j are refused', (request, why) => {
    expect(refusalOf(request)).toContain(why);
  });

  test.each([
    [{ type: 'text' }, undefined],
    [{ type: 'json' }, { type: 'json_object' }],
    [
      { type: 'json-schema', name: 'n', schema: parameters },
      { type: 'json_object', json_schema: parameters },
    ],
  ] as const)('may ask for JSON: %j', (responseFormat, wire) => {
    expect(write({ responseFormat }).wire['response_format']).toEqual(wire);
  });
});

describe('tools', () => {
  const names = (wire: Record<string, unknown>): unknown =>
    (wire['tools'] as { function: { name: string } }[] | undefined)?.map((tool) => tool.function.name);

  test.each([
    [undefined, undefined, ['f', 'g']],
    [{ type: 'auto' }, undefined, ['f', 'g']],
    [{ type: 'none' }, 'NONE', ['f', 'g']],
    [{ type: 'required' }, 'REQUIRED', ['f', 'g']],
    [{ type: 'tool', name: 'g' }, 'REQUIRED', ['g']],
    [{ type: 'allowed', required: true, names: ['f'] }, 'REQUIRED', ['f']],
    [{ type: 'allowed', required: false, names: ['f'] }, undefined, ['f']],
  ] as const)('[125] with the choice %j', (toolChoice, choice, told) => {
    const { wire } = write({ tools, ...(toolChoice && { toolChoice }) });
    expect(wire['tool_choice']).toBe(choice);
    expect(names(wire)).toEqual(told);
  });

  test('are not chosen among where there are none', () => {
    expect(write({ toolChoice: { type: 'required' } }).wire).not.toHaveProperty('tool_choice');
  });

  test('always have a schema', () => {
    expect(write({ tools }).wire['tools']).toEqual([
      { type: 'function', function: { name: 'f', parameters } },
      { type: 'function', function: { name: 'g', description: 'd', parameters: { type: 'object', properties: {} } } },
    ]);
  });

  test('are strict together or not at all', () => {
    const strict = { name: 'f', parameters, strict: true };
    expect(write({ tools: [strict] })).toMatchObject({ wire: { strict_tools: true }, dropped: [] });
    const { wire, dropped } = write({ tools: [strict, { name: 'g' }] });
    expect(wire).not.toHaveProperty('strict_tools');
    expect(dropped).toEqual([{ name: 'tools', clamped: true }]);
  });
});

describe('messages', () => {
  test('[128] say what was said, planned, called and answered', () => {
    const call: Block = { type: 'tool-call', id: 'c1', tool: 'f', input: '' };
    const messages: readonly Message[] = [
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      { role: 'assistant', content: [{ type: 'thinking', text: 'I will look.' }, call] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And?' },
          { type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: 'No.' }], isError: true },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', text: 'Hm' },
          { type: 'text', text: 'Sorry.' },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: '' }] },
    ];
    expect(write({ messages }).wire['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        tool_plan: 'I will look.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'Error: No.' },
      { role: 'user', content: 'And?' },
      { role: 'assistant', content: 'Sorry.' },
    ]);
  });

  test('may hold images', () => {
    const content = [
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
    ];
    expect(writeChat({ messages: [{ role: 'user', content }] }).wire['messages']).toEqual([{ role: 'user', content }]);
    expect(cohereUpstreamCodec.needsBytes).not.toBe(true);
  });

  test.each([
    [[], 'must say something'],
    [[{ type: 'audio', format: 'wav', data: '' }], 'audio block'],
    [[{ type: 'image', source: { type: 'file', id: 'file-1' } }], 'the file file-1'],
  ] as const)('that cannot be said are refused: %j', (content, why) => {
    expect(refusalOf({ messages: [{ role: 'user', content }] })).toContain(why);
  });

  test('with arguments that are no object are refused', () => {
    const call: Block = { type: 'tool-call', id: 'c1', tool: 'f', input: '{"a":' };
    expect(refusalOf({ messages: [{ role: 'assistant', content: [call] }] })).toContain('those of c1');
  });
});

describe('thinking', () => {
  const model = 'command-a-reasoning-08-2025';

  test.each([
    [model, { reasoningEffort: 'none' }, { type: 'disabled' }, []],
    [model, { reasoningEffort: 'high' }, { type: 'enabled', token_budget: 19_660 }, []],
    [model, { reasoningEffort: 'high', maxOutputTokens: 1000 }, { type: 'enabled', token_budget: 600 }, []],
    [model, { reasoningEffort: 'ultra' }, { type: 'enabled' }, [{ name: 'reasoningEffort' }]],
    [model, { thinking: { type: 'off' } }, { type: 'disabled' }, []],
    [model, { thinking: { type: 'adaptive' } }, { type: 'enabled' }, []],
    [model, { thinking: { type: 'budget', tokens: 500 } }, { type: 'enabled', token_budget: 500 }, []],
    ['command-r7b', { thinking: { type: 'adaptive' } }, undefined, [{ name: 'thinking' }]],
    ['command-r7b', { reasoningEffort: 'none' }, undefined, []],
  ] as const)('of %s as %j', (name, request, thinking, dropped) => {
    const written = write({ model: name, ...request });
    expect([written.wire['thinking'], written.dropped]).toEqual([thinking, dropped]);
  });

  test('is what the configuration says that the model can do', () => {
    expect(
      write({ reasoningEffort: 'low' }, { capabilities: ['Reasoning'], maxOutputTokens: 10_000 }).wire,
    ).toMatchObject({
      thinking: { type: 'enabled', token_budget: 1000 },
    });
    expect(write({ model, reasoningEffort: 'low' }, { capabilities: [] }).wire).not.toHaveProperty('thinking');
  });
});
