import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalResponse, FinishReason } from '../../../../proxy/canonical/response.ts';
import { openaiResponsesClientCodec } from '../../../../proxy/protocols/openai-responses/codec.ts';
import type { AnswerContext } from '../../../../proxy/protocols/protocol.ts';
import { context, response } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';

const versions = ['v6', 'v7'] as const;
const ask = { model: 'm', input: 'hi' };
const plain: CanonicalResponse = {
  id: 'chatcmpl-1',
  model: 'm',
  createdAt: 7,
  content: [{ type: 'text', text: 'Hello' }],
  finish: 'stop',
  metadata: {},
};

function encode(answer: CanonicalResponse, options: Partial<AnswerContext> = {}): Buffer {
  return openaiResponsesClientCodec.encodeResponse(answer, { ...context, ...options });
}

function json(answer: CanonicalResponse, options: Partial<AnswerContext> = {}): Record<string, unknown> {
  return JSON.parse(encode(answer, options).toString()) as Record<string, unknown>;
}

function clientAnswered(version: (typeof versions)[number], body: Buffer): ReturnType<typeof clientOf>['client'] {
  return clientOf(version, { body, headers: { 'content-type': 'application/json' } }).client;
}

describe('an answer', () => {
  test('[136] has every member that the protocol requires', () => {
    expect(json(plain)).toEqual({
      id: 'resp_chatcmpl-1',
      object: 'response',
      created_at: 7,
      model: 'm',
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      output: [
        {
          id: 'msg_chatcmpl-1_0',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      previous_response_id: null,
      store: false,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      parallel_tool_calls: true,
      reasoning: { effort: null, summary: null },
      temperature: null,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: null,
      truncation: 'disabled',
      usage: null,
    });
  });

  test('repeats what was asked for', () => {
    const asked = {
      model: 'm',
      input: 'hi',
      instructions: 'be brief',
      max_output_tokens: 9,
      metadata: { a: 'b' },
      parallel_tool_calls: false,
      temperature: 0.5,
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
      tool_choice: { type: 'function', name: 'f' },
      tools: [{ type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: false }],
      top_p: 0.9,
    };
    const { input: _, ...repeated } = asked;
    const request = openaiResponsesClientCodec.decodeRequest(Buffer.from(JSON.stringify(asked)));
    expect(json(plain, { request })).toMatchObject(repeated);
  });

  test.each<[FinishReason, string, unknown]>([
    ['stop', 'completed', null],
    ['tool-calls', 'completed', null],
    ['pause', 'completed', null],
    ['length', 'incomplete', { reason: 'max_output_tokens' }],
    ['context-window', 'incomplete', { reason: 'max_output_tokens' }],
    ['content-filter', 'incomplete', { reason: 'content_filter' }],
    ['refusal', 'incomplete', { reason: 'content_filter' }],
  ])('[140] that ended with %s is %s', (finish, status, details) => {
    expect(json({ ...plain, finish })).toMatchObject({ status, incomplete_details: details, output: [{ status }] });
  });

  test('[146] counts in details even where there is nothing to count', () => {
    expect(json({ ...plain, usage: { inputTokens: 3, outputTokens: 2 } })['usage']).toEqual({
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 5,
    });
  });

  test('says log probabilities where chat completions have them', () => {
    const entry = { token: 'Hello', logprob: -0.1, bytes: null, top_logprobs: [] };
    const metadata = { 'openai-chat': { choice: { logprobs: { content: [entry], refusal: null } } } };
    expect(json({ ...plain, metadata })).toMatchObject({ output: [{ content: [{ logprobs: [entry] }] }] });
  });

  test('is one item for each thought and call, and one message for what is said in a row', () => {
    const answer: CanonicalResponse = {
      ...plain,
      content: [
        { type: 'thinking', text: 'hm', signature: 's' },
        { type: 'redacted-thinking', data: 'd' },
        { type: 'text', text: '' },
        { type: 'text', text: 'a' },
        { type: 'refusal', text: 'b' },
        { type: 'tool-call', id: 'call_1', tool: 'f', input: '' },
        { type: 'tool-call', id: 'call_2', tool: 'g', input: '{"a":1}' },
      ],
    };
    expect(json(answer)['output']).toMatchObject([
      { id: 'rs_chatcmpl-1_0', summary: [{ type: 'summary_text', text: 'hm' }] },
      { id: 'rs_chatcmpl-1_1', summary: [] },
      { id: 'msg_chatcmpl-1_2', content: [{ text: 'a' }, { type: 'refusal', refusal: 'b' }] },
      { id: 'fc_chatcmpl-1_3', call_id: 'call_1', name: 'f', arguments: '{}' },
      { id: 'fc_chatcmpl-1_4', call_id: 'call_2', name: 'g', arguments: '{"a":1}' },
    ]);
  });

  test('[143] comes back as it was, signatures and hidden thinking included', () => {
    const content = [
      { type: 'thinking', text: 'hm', signature: 's' },
      { type: 'redacted-thinking', data: 'd' },
      { type: 'text', text: 'a' },
      { type: 'tool-call', id: 'call_1', tool: 'f', input: '{"a":1}' },
    ] as const;
    const output = json({ ...plain, content })['output'];
    const again = openaiResponsesClientCodec.decodeRequest(Buffer.from(JSON.stringify({ model: 'm', input: output })));
    expect(again.messages).toEqual([{ role: 'assistant', content }]);
  });

  test.each(versions)('[136] is read by %s, whatever is in it', async (version) => {
    await fc.assert(
      fc.asyncProperty(response, async (answer) => {
        const read = await clientAnswered(version, encode(answer)).responses.create(ask);
        const said = answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
        expect(read.output_text).toBe(said.join(''));
        expect(read.output.flatMap((item) => (item.type === 'function_call' ? [item.arguments] : []))).toEqual(
          answer.content.flatMap((block) => (block.type === 'tool-call' ? [block.input] : [])),
        );
      }),
      { numRuns: 40 },
    );
  });

  test.each(versions)('[145] is parsed by %s where a schema was asked for', async (version) => {
    const body = encode({ ...plain, content: [{ type: 'text', text: '{"a":1}' }] });
    const format = { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } as const;
    const parsed = await clientAnswered(version, body).responses.parse({ ...ask, text: { format } });
    expect(parsed.output_parsed).toEqual({ a: 1 });
  });
});
