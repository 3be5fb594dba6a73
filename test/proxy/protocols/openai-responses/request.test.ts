import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { createAnthropicUpstreamCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { openaiChatUpstream } from '../../../../proxy/protocols/openai-chat/upstream.ts';
import { openaiResponsesClientCodec } from '../../../../proxy/protocols/openai-responses/codec.ts';
import { carry } from '../../../../proxy/protocols/openai-responses/reasoning.ts';

function decode(body: object): CanonicalRequest {
  return openaiResponsesClientCodec.decodeRequest(Buffer.from(JSON.stringify({ model: 'm', input: 'hi', ...body })));
}

/** What a server of chat completions is asked. */
function asChat(body: object, dialect = 'openai'): Record<string, unknown> {
  const { body: written } = openaiChatUpstream(dialect).encodeRequest(decode(body));
  return JSON.parse(written.toString()) as Record<string, unknown>;
}

function asMessages(body: object): { messages: unknown; system: unknown } {
  const codec = createAnthropicUpstreamCodec(anthropicDialect);
  const request = { ...decode(body), model: 'claude-sonnet-4-5' };
  return JSON.parse(codec.encodeRequest(request).body.toString()) as { messages: unknown; system: unknown };
}

describe('a request', () => {
  test('is a turn of the user where its input is a string; instructions come first', () => {
    expect(asChat({ instructions: 'be brief', input: 'hi' })).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'hi' },
      ],
    });
  });

  test('tells its parameters under the names of chat completions', () => {
    const format = { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true, description: 'd' };
    const asked = {
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      parallel_tool_calls: false,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format, verbosity: 'low' },
      safety_identifier: 'u',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      metadata: { a: 'b' },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      top_logprobs: 3,
      store: false,
      truncation: 'disabled',
      background: false,
      previous_response_id: null,
      stream_options: { include_obfuscation: false },
    };
    expect(asChat(asked)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      max_completion_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      parallel_tool_calls: false,
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'object' }, strict: true, description: 'd' },
      },
      verbosity: 'low',
      safety_identifier: 'u',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      metadata: { a: 'b' },
      logprobs: true,
      top_logprobs: 3,
    });
    expect(decode(asked).metadata['openai-responses']).toEqual({});
  });

  test('[145] has its flat schema nested for chat completions, and every choice of tools', () => {
    const tools = [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }];
    const choices: readonly (readonly [unknown, unknown])[] = [
      ['auto', 'auto'],
      ['none', 'none'],
      ['required', 'required'],
      [
        { type: 'function', name: 'f' },
        { type: 'function', function: { name: 'f' } },
      ],
      [
        { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
        {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      ],
    ];
    for (const [choice, expected] of choices) {
      expect(asChat({ tools, tool_choice: choice })).toMatchObject({
        tools: [
          { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } },
        ],
        tool_choice: expected,
      });
    }
  });

  test('reads every kind of content', () => {
    const content = [
      { type: 'input_text', text: 'look' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_image', image_url: 'https://x/y.png' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
      { type: 'input_file', file_data: 'AA==' },
      { type: 'input_file', file_url: 'https://x/y.pdf' },
      { type: 'input_file', file_id: 'file-1' },
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
    ];
    expect(decode({ input: [{ role: 'user', content }] }).messages[0]?.content).toEqual([
      { type: 'text', text: 'look' },
      {
        type: 'image',
        source: { type: 'base64', mediaType: 'image/png', data: 'AA==' },
        metadata: { 'openai-chat': { image_url: { detail: 'low' } } },
      },
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', mediaType: 'application/pdf', data: 'AA==' } },
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'AA==' } },
      { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } },
      { type: 'document', source: { type: 'file', id: 'file-1' } },
      { type: 'audio', format: 'wav', data: 'AA==' },
    ]);
  });
});

const round = [
  { role: 'user', content: 'weather in two cities?' },
  { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'gAAAA' },
  {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: 'Sure.' }],
  },
  { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Köln"}' },
  { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'weather', arguments: '' },
  { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
  { type: 'function_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'sun' }] },
];

describe('a round of tools', () => {
  test('[141] [142] becomes one assistant message with two calls, and their results', () => {
    expect(asChat({ input: round })['messages']).toEqual([
      { role: 'user', content: 'weather in two cities?' },
      {
        role: 'assistant',
        content: 'Sure.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
          { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
      { role: 'tool', tool_call_id: 'call_2', content: 'sun' },
    ]);
  });

  test('[141] becomes one turn of each side for Anthropic, without the thinking of another vendor', () => {
    expect(asMessages({ input: round }).messages).toEqual([
      { role: 'user', content: 'weather in two cities?' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Sure.' },
          { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Köln' } },
          { type: 'tool_use', id: 'call_2', name: 'weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: 'rain' },
          { type: 'tool_result', tool_use_id: 'call_2', content: 'sun' },
        ],
      },
    ]);
  });

  test("[143] keeps OpenAI's encrypted reasoning for OpenAI only, and tells its text to servers that want it back", () => {
    const [, turn] = decode({ input: round }).messages;
    expect(turn?.content[0]).toEqual({
      type: 'thinking',
      text: 'hm',
      metadata: { 'openai-responses': { encrypted_content: 'gAAAA' } },
    });
    expect(asChat({ input: round }, 'deepseek')['messages']).toMatchObject([{}, { reasoning_content: 'hm' }, {}, {}]);
  });

  test('[143] gives a vendor back what it signed or hid', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.boolean(), (secret, hidden) => {
        const item = {
          type: 'reasoning',
          id: 'rs_1',
          summary: hidden ? [] : [{ type: 'summary_text', text: 'hm' }],
          encrypted_content: carry(hidden ? { redacted: secret } : { signature: secret }),
        };
        expect(decode({ input: [item] }).messages[0]?.content).toEqual([
          hidden ? { type: 'redacted-thinking', data: secret } : { type: 'thinking', text: 'hm', signature: secret },
        ]);
      }),
    );
  });

  test.each(['sluice:', 'sluice:!!', `sluice:${Buffer.from('[1]').toString('base64url')}`])(
    'takes %s for nobody’s',
    (encrypted) => {
      const item = { type: 'reasoning', summary: [], encrypted_content: encrypted };
      expect(decode({ input: [item] }).messages[0]?.content).toMatchObject([{ type: 'thinking', text: '' }]);
    },
  );
});

describe('what needs an upstream of this protocol', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ prompt: { id: 'p' } }, 'prompt'],
    [{ background: true }, 'background'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ type: 'function', name: 'f' }, { type: 'mcp' }] }, 'tools[1].type'],
    [{ tool_choice: { type: 'file_search' } }, 'tool_choice.type'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].type'],
    [{ input: [{ type: 'web_search_call', id: 'ws_1' }] }, 'input[0].type'],
  ])('[144] is refused: %j', (body, param) => {
    expect(() => decode(body)).toThrow(
      expect.objectContaining({ code: 'invalid_request', status: 400, upstream: expect.objectContaining({ param }) }),
    );
  });

  test.each([
    [{ input: 7 }, 'input must be a list.'],
    [{ input: null }, 'input is required.'],
    [{ input: [{ role: 'robot', content: '' }] }, 'input[0].role is not supported.'],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id must be a string.'],
    [{ include: 'all' }, 'include must be a list of strings.'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type is not supported.'],
  ])('%j names the member', (body, message) => {
    expect(() => decode(body)).toThrow(message);
  });

  test('is told as dropped where it only tunes', () => {
    const names = Object.keys(decode({ max_tool_calls: 3, truncation: 'auto' }).metadata['openai-responses'] ?? {});
    expect(names).toEqual(['max_tool_calls', 'truncation']);
  });
});
