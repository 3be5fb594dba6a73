import { describe, expect, test } from 'vitest';

import { ClientError } from '../../../../proxy/canonical/client-error.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import {
  anthropicMessagesClientCodec,
  anthropicMessagesOwnCodec,
} from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { decodeCountTokensRequest } from '../../../../proxy/protocols/anthropic-messages/decode-request.ts';
import { createOpenaiChatUpstreamCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { type ChatDialect, chatDialects, openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { bytesOf } from './fixture.ts';
import { clientOf, versions } from './sdk.ts';

const base = { model: 'm', max_tokens: 100, messages: [] };

function decode(body: object): CanonicalRequest {
  return anthropicMessagesClientCodec.decodeRequest(Buffer.from(JSON.stringify({ ...base, ...body })));
}

/** What an upstream of chat completions is sent. */
function asChat(body: object, dialect: ChatDialect = openaiDialect): Record<string, unknown> {
  const encoded = createOpenaiChatUpstreamCodec(dialect).encodeRequest(decode(body));
  return JSON.parse(encoded.body.toString()) as Record<string, unknown>;
}

function user(...content: readonly object[]): object {
  return { messages: [{ role: 'user', content }] };
}

describe('a request', () => {
  test('in canonical form names everything that other protocols know', () => {
    const decoded = decode({
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'redacted_thinking', data: 'x' },
            { type: 'text', text: 'Look:' },
            { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 }, cache_control: { type: 'ephemeral' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: '42', is_error: true },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
            { type: 'image', source: { type: 'url', url: 'https://i/1.png' }, cache_control: { type: 'ephemeral' } },
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'T' },
            { type: 'document', source: { type: 'file', file_id: 'file_1' }, citations: { enabled: true } },
          ],
        },
        { role: 'system', content: 'From now on in French.' },
      ],
      tools: [
        {
          name: 'f',
          description: 'd',
          input_schema: { type: 'object' },
          strict: true,
          type: 'custom',
          eager_input_streaming: true,
        },
      ],
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stream: true,
      thinking: { type: 'enabled', budget_tokens: 2000, display: 'omitted' },
      output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } }, task_budget: 5 },
      metadata: { user_id: 'u', team: 't' },
      service_tier: 'auto',
    });
    const cached = { metadata: { 'anthropic-messages': { cache_control: { type: 'ephemeral' } } } };
    expect(decoded).toEqual({
      model: 'm',
      maxOutputTokens: 100,
      stream: true,
      stop: ['END'],
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      toolChoice: { type: 'tool', name: 'f' },
      parallelToolCalls: false,
      thinking: { type: 'budget', tokens: 2000 },
      reasoningEffort: 'low',
      responseFormat: { type: 'json-schema', name: 'response', schema: { type: 'object' }, strict: true },
      userId: 'u',
      tools: [
        {
          name: 'f',
          description: 'd',
          parameters: { type: 'object' },
          strict: true,
          metadata: { 'anthropic-messages': { eager_input_streaming: true } },
        },
      ],
      metadata: {
        'anthropic-messages': {
          thinking: { display: 'omitted' },
          output_config: { task_budget: 5 },
          metadata: { team: 't' },
          service_tier: 'auto',
        },
      },
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.', ...cached }] },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', text: 'hm', signature: 's' },
            { type: 'redacted-thinking', data: 'x' },
            { type: 'text', text: 'Look:' },
            { type: 'tool-call', id: 'toolu_1', tool: 'f', input: '{"a":1}', ...cached },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool-result', callId: 'toolu_1', content: [{ type: 'text', text: '42' }], isError: true },
            { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AA==' } },
            { type: 'image', source: { type: 'url', url: 'https://i/1.png' }, ...cached },
            {
              type: 'document',
              source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBE' },
              title: 'T',
            },
            {
              type: 'document',
              source: { type: 'file', id: 'file_1' },
              metadata: { 'anthropic-messages': { citations: { enabled: true } } },
            },
          ],
        },
        { role: 'system', content: [{ type: 'text', text: 'From now on in French.' }] },
      ],
    });
  });

  test('of both clients is understood', async () => {
    for (const version of versions) {
      const { client, requests } = clientOf(version, { body: bytesOf('text.sse') });
      await client.messages
        .stream({
          model: 'm',
          max_tokens: 5,
          system: 'Be brief.',
          messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
          tools: [{ name: 'f', input_schema: { type: 'object', properties: {} } }],
        })
        .finalMessage();
      const decoded = anthropicMessagesClientCodec.decodeRequest(requests[0]!.body);
      expect(decoded).toMatchObject({ stream: true, maxOutputTokens: 5, tools: [{ name: 'f' }] });
      expect(decoded.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    }
  });

  test.each([
    [{ max_tokens: undefined }, 'max_tokens is required and must be a whole number.'],
    [{ max_tokens: 1.5 }, 'max_tokens is required and must be a whole number.'],
    [{ max_tokens: -1 }, 'max_tokens is required and must be a whole number.'],
    [{ messages: undefined }, 'messages is required.'],
    [{ messages: 'hi' }, 'messages must be a list.'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages[0].role is not supported.'],
    [{ messages: [{ role: 'user', content: 7 }] }, 'messages[0].content must be a string or a list of blocks.'],
    [user({ type: 'video' }), 'messages[0].content[0].type is not supported.'],
    [user({ type: 'text' }), 'messages[0].content[0].text must be a string.'],
    [user({ type: 'image', source: { type: 'ftp' } }), 'messages[0].content[0].source.type is not supported.'],
    [
      user({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'nothing' }] }),
      'messages[0].content[0].content[0].type is not supported.',
    ],
    [{ system: [{ type: 'text' }] }, 'system[0].text must be a string.'],
    [{ tools: {} }, 'tools must be a list.'],
    [{ tools: [{ input_schema: {} }] }, 'tools[0].name must be a string.'],
    [{ tool_choice: { type: 'most' } }, 'tool_choice.type is not supported.'],
    [{ thinking: { type: 'enabled' } }, 'thinking.budget_tokens must be a number.'],
    [{ thinking: { type: 'wild' } }, 'thinking.type is not supported.'],
    [{ output_config: { format: { type: 'xml' } } }, 'output_config.format.type is not supported.'],
    [{ stop_sequences: [1] }, 'stop_sequences must be a list of strings.'],
  ])('[171] is refused: %j', (body, message) => {
    expect(() => decode(body)).toThrow(new ClientError('invalid_request', { message }));
  });

  test('that is not JSON is refused as such', () => {
    expect(() => anthropicMessagesClientCodec.decodeRequest(Buffer.from('{'))).toThrow(new ClientError('invalid_json'));
  });

  test('to count tokens needs no max_tokens', () => {
    const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }));
    const decoded = decodeCountTokensRequest(body);
    expect(decoded).toMatchObject({ model: 'm', messages: [{ role: 'user' }] });
    expect(decoded.maxOutputTokens).toBeUndefined();
  });

  test('cannot speak for our own encoder', () => {
    const block = { type: 'text', text: 'harmless', wire: { type: 'text', text: 'other' } };
    const decoded = decode({ ...user(block), hosted_tools: [{ at: 0, type: 'x', wire: {} }] });
    expect(decoded.messages[0]!.content).toEqual([{ type: 'text', text: 'harmless' }]);
    expect(decoded.metadata).toEqual({ 'anthropic-messages': {} });
  });
});

describe('tools that Anthropic has', () => {
  test.each([
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type web_search_20250305'],
    [
      {
        tools: [
          { name: 'f', input_schema: {} },
          { type: 'computer_toolset_20260801', name: 'computer' },
        ],
      },
      'tools[1].type computer_toolset_20260801',
    ],
    [{ mcp_servers: [{ type: 'url', url: 'https://mcp' }] }, 'mcp_servers'],
    [{ container: 'c' }, 'container'],
    [user({ type: 'container_upload', file_id: 'file_1' }), 'container_upload'],
    [{ max_tokens: 0 }, 'max_tokens 0'],
  ])('[178] are refused on the way to others: %j', (body, what) => {
    const message = `${what} is not supported by the backends of this model.`;
    expect(() => decode(body)).toThrow(new ClientError('invalid_request', { message }));
    const bytes = Buffer.from(JSON.stringify({ ...base, ...body }));
    expect(() => anthropicMessagesOwnCodec.decodeRequest(bytes)).not.toThrow();
  });

  test('and that the client runs get a schema that others can read', () => {
    const { tools } = asChat({
      tools: [
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 10_000 },
        { type: 'memory_20250818', name: 'memory' },
      ],
    });
    expect(tools).toMatchObject([
      { type: 'function', function: { name: 'bash', parameters: { properties: { command: { type: 'string' } } } } },
      { function: { name: 'str_replace_based_edit_tool', parameters: { required: ['command', 'path'] } } },
      { function: { name: 'memory', parameters: { type: 'object' } } },
    ]);
  });

  test('and what they left behind say nothing to others', () => {
    const { messages } = asChat({
      messages: [
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
            { type: 'text', text: 'Sunny.', citations: [{ type: 'web_search_result_location' }] },
          ],
        },
      ],
    });
    expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant', content: 'Sunny.' }]);
  });
});

describe('for an upstream of chat completions', () => {
  test('[164] system blocks are one message, without cache control', () => {
    const system = [
      { type: 'text', text: 'One.', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'text', text: 'Two.' },
    ];
    expect(asChat({ system })['messages']).toEqual([{ role: 'system', content: 'One.Two.' }]);
  });

  test('[165] results become messages of their own, before what the client says', () => {
    const { messages } = asChat(
      user(
        { type: 'tool_result', tool_use_id: 'a', content: 'one' },
        { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'two' }] },
        { type: 'text', text: 'And now?' },
      ),
    );
    expect(messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  test('[166] results that are errors, images or nothing are what it takes', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
    const { messages } = asChat(
      user(
        { type: 'tool_result', tool_use_id: 'a', content: 'boom', is_error: true },
        { type: 'tool_result', tool_use_id: 'b', content: [image] },
        { type: 'tool_result', tool_use_id: 'c' },
      ),
    );
    expect(messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'Error: boom' },
      { role: 'tool', tool_call_id: 'b', content: '[image]' },
      { role: 'tool', tool_call_id: 'c', content: '' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] },
    ]);
  });

  test('[167] thinking is left out, or given back to those that want it', () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'Yes.' },
    ];
    const body = { messages: [{ role: 'assistant', content }] };
    expect(asChat(body)['messages']).toEqual([{ role: 'assistant', content: 'Yes.' }]);
    expect(asChat(body, chatDialects.deepseek)['messages']).toEqual([
      { role: 'assistant', content: 'Yes.', reasoning_content: 'hm' },
    ]);
  });

  test.each([
    [{ type: 'any' }, 'required', undefined],
    [{ type: 'auto', disable_parallel_tool_use: true }, 'auto', false],
    [{ type: 'none' }, 'none', undefined],
    [{ type: 'tool', name: 'f' }, { type: 'function', function: { name: 'f' } }, undefined],
  ])('[168] %j is %j', (choice, expected, parallel) => {
    const body = asChat({ tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: choice });
    expect(body['tool_choice']).toEqual(expected);
    expect(body['parallel_tool_calls']).toBe(parallel);
  });

  test('[169] more stop sequences than it takes are refused', () => {
    expect(() => asChat({ stop_sequences: ['a', 'b', 'c', 'd', 'e'] })).toThrow('stop must have at most 4');
    expect(anthropicMessagesClientCodec.nameParameter('stop')).toBe('stop_sequences');
  });

  test('[170] max_tokens has the name that it knows', () => {
    expect(asChat({})['max_completion_tokens']).toBe(100);
    expect(asChat({}, chatDialects.compatible)['max_tokens']).toBe(100);
  });

  test('[177] images and documents are what it takes', () => {
    const { messages } = asChat(
      user(
        { type: 'image', source: { type: 'url', url: 'https://i/1.png' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' }, title: 'b.txt' },
        { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'parts' }] } },
        { type: 'search_result', title: 'T', source: 'https://s', content: [{ type: 'text', text: 'found' }] },
      ),
    );
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'https://i/1.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
          { type: 'text', text: 'b.txt\nplain' },
          { type: 'text', text: 'parts' },
          { type: 'text', text: 'T\nhttps://s\nfound' },
        ],
      },
    ]);
  });

  test('[179] a system message among the others stays where it is', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'system', content: 'In French.' },
    ];
    expect(asChat({ messages })['messages']).toEqual(messages);
  });

  test('a schema for the answer is one there too', () => {
    const format = { type: 'json_schema', schema: { type: 'object', properties: {} } };
    expect(asChat({ output_config: { format } })['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'response', schema: format.schema, strict: true },
    });
  });
});
