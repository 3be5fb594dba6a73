import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import { createOpenaiChatUpstreamCodec, openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { fixtures } from '../fixture.ts';
import { clientOf } from '../sdk.ts';
import { context, response } from './answer.ts';

const upstream = createOpenaiChatUpstreamCodec(openaiDialect);
const answers = fixtures.filter(({ name, protocol }) => protocol === 'openai-chat' && !name.endsWith('.sse'));

function decode(body: Buffer): CanonicalResponse {
  const decoded = upstream.decodeResponse(body, 'fallback');
  if (decoded.type === 'invalid') throw new Error(JSON.stringify(decoded.signal));
  return decoded.response;
}

function fixture(name: string): Buffer {
  const found = answers.find((answer) => answer.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}

test('an answer comes out as it went in', () => {
  fc.assert(
    fc.property(response, (answer) => {
      expect(decode(openaiChatClientCodec.encodeResponse(answer, context))).toEqual(answer);
    }),
    { numRuns: 300 },
  );
});

test.each(answers)('$name is judged as in the pass-through lane', ({ bytes }) => {
  const headers = { 'x-request-id': 'r' };
  const reading = protocols['openai-chat'].passThrough!.readAnswer(bytes, headers);
  const decoded = upstream.decodeResponse(bytes, 'f', headers);
  if (decoded.type === 'invalid') {
    expect(decoded.signal).toEqual(reading.signal);
  } else {
    expect(reading.signal).toBeUndefined();
    expect(decoded.empty).toBe(reading.empty);
    expect(decoded.response.usage).toEqual(reading.usage);
  }
});

describe('an answer of the wild', () => {
  test.each([
    ['openai-text.json', [{ type: 'text', text: 'Hello! How can I help?' }], 'stop'],
    ['openai-tools.json', [{ type: 'tool-call', id: 'call_1', tool: 'f', input: '{}' }], 'tool-calls'],
    ['azure-filtered.json', [], 'content-filter'],
    ['deepseek-blank-lines.json', [{ type: 'text', text: 'Ja' }], 'stop'],
    [
      'xai-reasoning.json',
      [
        { type: 'thinking', text: 'Hm' },
        { type: 'text', text: 'Yes' },
      ],
      'stop',
    ],
    [
      'mistral-thinking.json',
      [
        { type: 'thinking', text: 'Hm' },
        { type: 'text', text: 'Oui' },
      ],
      'stop',
    ],
    [
      'vllm-tools-null-content.json',
      [{ type: 'tool-call', id: 'chatcmpl-tool-1', tool: 'f', input: '{}' }],
      'tool-calls',
    ],
  ])('%s is read', (name, content, finish) => {
    expect(decode(fixture(name))).toMatchObject({ content, finish });
  });

  test('keeps members that nobody knows', () => {
    const json = JSON.parse(fixture('openai-text.json').toString()) as object;
    const choice = {
      index: 0,
      message: { role: 'assistant', content: 'a', annotations: [{ type: 'x' }] },
      finish_reason: 'stop',
      logprobs: { content: [] },
    };
    const body = Buffer.from(JSON.stringify({ ...json, x_new: 1, choices: [choice] }));
    const again = JSON.parse(openaiChatClientCodec.encodeResponse(decode(body), context).toString()) as unknown;
    expect(again).toMatchObject({
      x_new: 1,
      service_tier: 'default',
      system_fingerprint: 'fp_1',
      choices: [{ logprobs: { content: [] }, message: { annotations: [{ type: 'x' }] } }],
    });
  });

  test('whose arguments are cut is invalid, unless it was too long', () => {
    const text = fixture('openai-tools.json').toString().replace('"arguments":"{}"', '"arguments":"{"');
    expect(upstream.decodeResponse(Buffer.from(text), 'f')).toMatchObject({
      type: 'invalid',
      signal: { type: 'invalid' },
    });
    const cut = text.replace('"finish_reason":"tool_calls"', '"finish_reason":"length"');
    expect(decode(Buffer.from(cut)).finish).toBe('length');
  });

  test('gets the ids that it lacks', () => {
    const call = { type: 'function', function: { name: 'f', arguments: '{}' } };
    const body = { choices: [{ message: { tool_calls: [call, call] }, finish_reason: 'stop' }] };
    const decoded = decode(Buffer.from(JSON.stringify(body)));
    expect(decoded.id).toBe('fallback');
    expect(decoded.finish).toBe('tool-calls');
    expect(decoded.content.map((block) => block.type === 'tool-call' && block.id)).toEqual([
      'call_fallback_0',
      'call_fallback_1',
    ]);
  });

  test.each(['v6', 'v7'] as const)('is written as %s expects it', async (version) => {
    for (const { name, bytes, signal } of answers) {
      if (signal !== undefined) continue;
      const body = openaiChatClientCodec.encodeResponse(decode(bytes), context);
      const { client } = clientOf(version, { body, headers: { 'content-type': 'application/json' } });
      const completion = await client.chat.completions.create({ model: 'm', messages: [] });
      expect(completion, name).toMatchObject({
        object: 'chat.completion',
        id: expect.stringMatching(/./),
        model: expect.stringMatching(/./),
        choices: [{ index: 0, message: { role: 'assistant' }, finish_reason: expect.any(String) }],
      });
    }
  });
});
