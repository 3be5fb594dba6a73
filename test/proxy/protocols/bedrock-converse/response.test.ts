import { describe, expect, test } from 'vitest';

import { bedrockConverseUpstreamCodec } from '../../../../proxy/protocols/bedrock-converse/codec.ts';
import { encodeResponse } from '../../../../proxy/protocols/anthropic-messages/encode-response.ts';
import type { DecodedResponse } from '../../../../proxy/protocols/protocol.ts';
import { context } from '../openai-chat/answer.ts';
import { usage } from './frames.ts';

function decode(body: unknown, headers = {}): DecodedResponse {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return bedrockConverseUpstreamCodec.decodeResponse(bytes, 'fallback', headers);
}

function answer(content: readonly object[], stopReason = 'end_turn'): object {
  return { output: { message: { role: 'assistant', content } }, stopReason, usage, metrics: { latencyMs: 12 } };
}

const everything = answer(
  [
    { reasoningContent: { reasoningText: { text: 'Hm', signature: 'c2ln' } } },
    { reasoningContent: { redactedContent: 'aGlkZGVu' } },
    { text: 'Grüße' },
    { citationsContent: { content: [{ text: ' cited' }], citations: [] } },
    { somethingNew: {} },
    { toolUse: { toolUseId: 'tooluse_a', name: 'weather', input: { city: 'Köln' } } },
  ],
  'tool_use',
);

describe('an answer', () => {
  test('[118] is read with the id of its request, and all of its input counted', () => {
    expect(decode(everything, { 'x-amzn-requestid': 'req-7' })).toEqual({
      type: 'response',
      empty: false,
      response: {
        id: 'req-7',
        model: '',
        content: [
          { type: 'thinking', text: 'Hm', signature: 'c2ln' },
          { type: 'redacted-thinking', data: 'aGlkZGVu' },
          { type: 'text', text: 'Grüße' },
          { type: 'text', text: ' cited' },
          { type: 'tool-call', id: 'tooluse_a', tool: 'weather', input: '{"city":"Köln"}' },
        ],
        finish: 'tool-calls',
        metadata: { 'bedrock-converse': { metrics: { latencyMs: 12 } } },
        usage: { inputTokens: 17, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 3 },
      },
    });
    expect(decode(everything)).toMatchObject({ response: { id: 'fallback' } });
  });

  test('[183] [184] reaches clients of Anthropic with signatures and cache counts as they were', () => {
    const decoded = decode(everything);
    if (decoded.type !== 'response') throw new Error('no answer');
    expect(JSON.parse(encodeResponse(decoded.response, context).toString())).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'aGlkZGVu' },
        { text: 'Grüße' },
        { text: ' cited' },
        { type: 'tool_use', id: 'tooluse_a', input: { city: 'Köln' } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 10, cache_creation_input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 5 },
    });
  });

  test.each([
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['model_context_window_exceeded', 'context-window'],
  ])('[123] that stopped with %s finishes with %s', (stop, finish) => {
    expect(decode(answer([{ text: 'a' }], stop))).toMatchObject({ response: { finish } });
  });

  test.each([
    [answer([{ text: 'a' }], 'malformed_tool_use'), 'the answer ended with malformed_tool_use'],
    [answer([{ text: 'a' }], 'malformed_model_output'), 'the answer ended with malformed_model_output'],
    [{ message: 'no' }, 'the answer has no message'],
    [{ output: {} }, 'the answer has no message'],
    ['', 'the answer has no body'],
    ['<html>', 'the answer is not JSON'],
  ])('[123] that is none is invalid: %j', (body, detail) => {
    expect(decode(body)).toMatchObject({ type: 'invalid', signal: { type: 'invalid', detail } });
  });

  test('whose format stands in for a schema is text', () => {
    const call = { toolUse: { toolUseId: 'tooluse_a', name: 'sluice_json', input: { a: 1 } } };
    expect(decode(answer([call], 'tool_use'))).toMatchObject({
      response: { content: [{ type: 'text', text: '{"a":1}' }], finish: 'stop' },
    });
  });

  test('without any words is empty, unless a filter took them', () => {
    const silent = (stop: string): object => ({ ...answer([], stop), usage: { inputTokens: 1, outputTokens: 0 } });
    expect(decode(silent('end_turn'))).toMatchObject({ empty: true });
    expect(decode(silent('guardrail_intervened'))).toMatchObject({ empty: false });
  });
});
