import { describe, expect, test } from 'vitest';

import type { Block, Message } from '../../../../proxy/canonical/block.ts';
import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import { refusalOf, say, upstreams, write, writeChat } from './written.ts';

const tool = { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } };
const call = (id: string, name = 'f'): Block => ({ type: 'tool-call', id, tool: name, input: '{"a":1}' });
const result = (callId: string, text: string): Block => ({
  type: 'tool-result',
  callId,
  content: [{ type: 'text', text }],
});

describe('a conversation', () => {
  test('[92] has instructions apart, two roles, and one turn for what one side says in a row', () => {
    const { wire } = writeChat({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One' },
        { role: 'user', content: [{ type: 'text', text: 'Two' }] },
        { role: 'assistant', content: 'Three' },
        { role: 'developer', content: 'Be kind.' },
        { role: 'assistant', content: 'Four' },
        { role: 'user', content: '' },
        { role: 'user', content: 'Five' },
      ],
    });
    expect(wire).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'One' }, { text: 'Two' }] },
        { role: 'model', parts: [{ text: 'Three' }, { text: 'Four' }] },
        { role: 'user', parts: [{ text: 'Five' }] },
      ],
    });
  });

  test('of instructions only is asked as a question; of nothing it is refused', () => {
    const { wire } = writeChat({ messages: [{ role: 'system', content: 'Say hi.' }] });
    expect(wire).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Say hi.' }] }] });
    expect(refusalOf({ messages: say('') })).toBe('messages must say something.');
  });

  test('has its instructions from the user where the model takes none', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ];
    const { wire } = writeChat({ messages }, 'gemma-3-27b-it');
    expect(wire).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Be brief.' }, { text: 'Hi' }] }] });
  });

  test('[93] [94] [97] has the results of calls in one turn, in their order, under the names of their tools', () => {
    const messages = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
          { id: 'call_2', type: 'function', function: { name: 'time', arguments: '' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_2', content: '[12,30]' },
      { role: 'tool', tool_call_id: 'call_1', content: 'Sunny' },
      { role: 'user', content: 'And?' },
    ];
    const { wire } = writeChat({ messages });
    expect(wire['contents']).toEqual([
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Köln' } } },
          { functionCall: { id: 'call_2', name: 'time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'call_1', name: 'weather', response: { output: 'Sunny' } } },
          { functionResponse: { id: 'call_2', name: 'time', response: { output: '[12,30]' } } },
          { text: 'And?' },
        ],
      },
    ]);
  });

  test('[93] has no ids for Vertex, and says when a tool failed', () => {
    const failed: Block = { type: 'tool-result', callId: 'x', content: [{ type: 'text', text: 'No.' }], isError: true };
    const messages: readonly Message[] = [
      ...say('hi'),
      { role: 'assistant', content: [call('x')] },
      { role: 'user', content: [failed] },
    ];
    expect(write({ messages }, 'vertex').wire['contents']).toMatchObject([
      {},
      { parts: [{ functionCall: { name: 'f', args: { a: 1 } } }] },
      { parts: [{ functionResponse: { name: 'f', response: { error: 'No.' } } }] },
    ]);
  });

  test('has the pictures of results in them, or behind all of them where the model takes none there', () => {
    const image: Block = { type: 'image', source: { type: 'base64', mediaType: 'image/JPG', data: 'AA==' } };
    const seen: Block = { type: 'tool-result', callId: 'x', content: [image] };
    const messages: readonly Message[] = [
      ...say('hi'),
      { role: 'assistant', content: [call('x'), call('y')] },
      { role: 'user', content: [seen, result('y', 'b')] },
    ];
    const inlineData = { mimeType: 'image/jpeg', data: 'AA==' };
    const parts = (model: string): unknown =>
      (write({ messages, model }).wire['contents'] as { parts: unknown }[])[2]?.parts;
    expect(parts('gemini-2.5-pro')).toMatchObject([
      { functionResponse: { id: 'x' } },
      { functionResponse: { id: 'y' } },
      { inlineData },
    ]);
    expect(parts('gemini-3-pro-preview')).toMatchObject([
      { functionResponse: { id: 'x', parts: [{ inlineData }] } },
      { functionResponse: { id: 'y' } },
    ]);
  });

  test.each([
    ['a call without a result', [call('x'), call('y')], [result('x', 'a')]],
    ['a result without a call', [call('x')], [result('x', 'a'), result('y', 'b')]],
    ['two results of one call', [call('x')], [result('x', 'a'), result('x', 'b')]],
  ])('with %s is refused', (_, calls, results) => {
    const messages: readonly Message[] = [
      ...say('hi'),
      { role: 'assistant', content: calls },
      { role: 'tool', content: results },
    ];
    expect(refusalOf({ messages })).toMatch(/^messages must hold the result of each tool call/);
  });

  test('with arguments that are no object is refused', () => {
    const broken: Block = { type: 'tool-call', id: 'x', tool: 'f', input: '{"a":' };
    expect(refusalOf({ messages: [{ role: 'assistant', content: [broken] }] })).toContain('those of x');
  });

  test('[107] has bytes of images, documents and sound, and no addresses', () => {
    const url = 'data:image/png;base64,iVBORw0=';
    const content = [
      { type: 'image_url', image_url: { url, detail: 'low' } },
      { type: 'input_audio', input_audio: { format: 'wav', data: 'UklG' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
    ];
    expect(writeChat({ messages: [{ role: 'user', content }] }).wire['contents']).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'iVBORw0=' } },
          { inlineData: { mimeType: 'audio/wav', data: 'UklG' } },
          { inlineData: { mimeType: 'application/pdf', data: 'JVBE' } },
        ],
      },
    ]);
    expect(upstreams('gemini').needsBytes).toBe(true);
    const source = { type: 'url', url: 'gs://bucket/a.png' } as const;
    expect(refusalOf({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] })).toContain('addresses');
    const file = { type: 'file', id: 'file-1' } as const;
    expect(refusalOf({ messages: [{ role: 'user', content: [{ type: 'document', source: file }] }] })).toContain(
      'file-1',
    );
  });
});

describe('parameters', () => {
  test('[109] have their own names here', () => {
    const { wire, dropped } = writeChat({
      max_completion_tokens: 100,
      stop: ['a', 'b'],
      seed: 7,
      temperature: 1.5,
      top_p: 0.9,
      top_k: 40,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logprobs: true,
      top_logprobs: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(wire).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      generationConfig: {
        maxOutputTokens: 100,
        stopSequences: ['a', 'b'],
        seed: 7,
        temperature: 1.5,
        topP: 0.9,
        topK: 40,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        responseLogprobs: true,
        logprobs: 3,
      },
    });
    expect(dropped).toEqual([]);
  });

  test('that cannot be told are reported', () => {
    const { wire, dropped } = writeChat({
      temperature: 3,
      parallel_tool_calls: false,
      user: 'u',
      logit_bias: { 1: 2 },
      store: true,
      service_tier: 'flex',
    });
    expect(wire['generationConfig']).toEqual({ temperature: 2 });
    const names = ['parallelToolCalls', 'user', 'logit_bias', 'store', 'service_tier'];
    expect(dropped).toEqual([{ name: 'temperature', clamped: true }, ...names.map((name) => ({ name }))]);
  });

  test.each([
    [{ choiceCount: 9 }, 'choiceCount must be from 1 to 8'],
    [{ choiceCount: 2, stream: true }, 'choiceCount must be 1 in a stream'],
    [{ stop: ['1', '2', '3', '4', '5', '6'] }, 'stop must have at most 5'],
    [{ topLogprobs: 6 }, 'topLogprobs must be at most 5'],
    [{ metadata: { 'openai-chat': { modalities: ['text', 'audio'] } } }, 'modalities must not hold audio'],
    [{ metadata: { 'openai-chat': { audio: {} } } }, 'audio is not supported'],
    [{ tools: [tool], responseFormat: { type: 'json' } }, 'responseFormat must be text where there are tools'],
    [{ tools: [{ name: '1st' }] }, 'tools must have names'],
  ] as const)('%j are refused', (request, why) => {
    expect(refusalOf(request)).toContain(why);
  });

  test('a refusal is an error of the client', () => {
    expect(() => write({ choiceCount: 9 })).toThrow(ClientError);
  });
});
