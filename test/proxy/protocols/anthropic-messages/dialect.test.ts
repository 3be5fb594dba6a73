import { describe, expect, test } from 'vitest';

import { anthropicMessagesClient } from '../../../../proxy/protocols/anthropic-messages/client.ts';
import {
  anthropicDialect,
  bedrockInvokeDialect,
  hostEdits,
  readInvokePayload,
  vertexDialect,
} from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeRequest } from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';
import { modelProfile } from '../../../../proxy/protocols/anthropic-messages/models.ts';
import { anthropicMessagesPassThrough } from '../../../../proxy/protocols/anthropic-messages/pass-through.ts';
import { toStrictSchema } from '../../../../proxy/protocols/anthropic-messages/strict-schema.ts';
import { effortOfThinking } from '../../../../proxy/protocols/anthropic-messages/thinking.ts';
import { anthropicMessagesUpstream } from '../../../../proxy/protocols/anthropic-messages/upstream.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { framesOf } from '../fixture.ts';
import { bytesOf } from './fixture.ts';

const request = openaiChatClientCodec.decodeRequest(
  Buffer.from('{"model":"claude-opus-4-8","stream":true,"messages":[{"role":"user","content":"hi"}]}'),
);

describe('on other hosts', () => {
  test.each([
    [vertexDialect, { anthropic_version: 'vertex-2023-10-16', stream: true }],
    [bedrockInvokeDialect, { anthropic_version: 'bedrock-2023-05-31' }],
  ])('[152] [153] a request names its version in the body and no model', (dialect, expected) => {
    const { body, headers } = encodeRequest(request, dialect);
    const wire = JSON.parse(body.toString()) as object;
    expect(wire).toEqual({ ...expected, max_tokens: 128_000, messages: [{ role: 'user', content: 'hi' }] });
    expect(headers).toEqual({});
  });

  test('[152] [153] what a client of this protocol sends is edited, not rewritten', () => {
    const body = Buffer.from('{"model":"m", "x_new":1.0, "stream":true,"max_tokens":5}');
    const peek = anthropicMessagesClient.peek(body);
    const edited = (edits: ReturnType<typeof hostEdits>): string =>
      anthropicMessagesPassThrough.rewrite(body, peek, edits).toString();
    expect(edited(hostEdits(vertexDialect))).toBe(
      '{"x_new":1.0, "stream":true,"max_tokens":5,"anthropic_version":"vertex-2023-10-16"}',
    );
    expect(edited(hostEdits(bedrockInvokeDialect, ['a', 'b']))).toBe(
      '{"x_new":1.0,"max_tokens":5,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a","b"]}',
    );
    expect(edited(hostEdits(anthropicDialect))).toBe(body.toString());
  });

  test("[153] the payloads of Bedrock's frames are Anthropic's own events", () => {
    const [frame] = framesOf(bytesOf('text.sse'));
    const data = frame!.toString().split('\n')[1]!.slice('data: '.length);
    const payload = Buffer.from(JSON.stringify({ bytes: Buffer.from(data).toString('base64'), p: 'abcd' }));
    expect(readInvokePayload(payload)).toEqual(frame);
    for (const odd of ['', '{}', '{"bytes":7}', '{"bytes":"e30="}']) {
      expect(readInvokePayload(Buffer.from(odd))).toBeUndefined();
    }
  });

  test('there is one codec for each dialect', () => {
    expect(anthropicMessagesUpstream()).toBe(anthropicMessagesUpstream('anthropic'));
    expect(anthropicMessagesUpstream().needsBytes).toBe(false);
    expect(anthropicMessagesUpstream('vertex').needsBytes).toBe(true);
    expect(() => anthropicMessagesUpstream('none')).toThrow('messages have no dialect none');
  });
});

describe('a model', () => {
  test.each([
    ['claude-opus-5-5', { thinking: 'adaptive', thinkingOff: 'never', sampling: 'none', forcedTools: false }],
    ['claude-fable-5-2', { thinkingOff: 'never', forcedTools: false }],
    ['claude-fable-5-20260601', { thinkingOff: 'never', forcedTools: true }],
    ['claude-mythos-preview', { thinkingOff: 'never', efforts: ['low', 'medium', 'high', 'max'], systemTurns: false }],
    ['claude-sonnet-5-5', { thinkingOff: 'between_tools', forcedTools: false }],
    ['claude-haiku-5-5', { thinkingOff: 'disabled', sampling: 'none', forcedTools: true }],
    ['us.anthropic.claude-sonnet-5', { thinkingOff: 'disabled', systemTurns: true }],
    ['claude-opus-4-7', { sampling: 'none', systemTurns: false }],
    ['anthropic/claude-sonnet-4.6', { thinking: 'adaptive', sampling: 'one', outputTokensMax: 128_000 }],
    ['claude-opus-4-5-20251101', { thinking: 'budget', efforts: ['low', 'medium', 'high'], structuredOutputs: true }],
    ['claude-haiku-4-5', { thinking: 'budget', efforts: [], outputTokensMax: 64_000 }],
    ['claude-opus-4-1-20250805', { outputTokensMax: 32_000, structuredOutputs: true }],
    ['claude-opus-4-20250514', { outputTokensMax: 32_000, structuredOutputs: false }],
    ['claude-sonnet-4@20250514', { outputTokensMax: 64_000, structuredOutputs: false }],
    ['anthropic.claude-3-7-sonnet-20250219-v1:0', { thinking: 'budget', outputTokensMax: 64_000 }],
    ['claude-3-5-haiku-20241022', { thinking: 'none', outputTokensMax: 8192 }],
    ['claude-2.1', { thinking: 'none', outputTokensMax: 4096 }],
    ['claude-saga-7', { limitIsKnown: false, thinking: 'adaptive', sampling: 'none', forcedTools: true }],
    ['glm-5', { limitIsKnown: false, thinking: 'budget', sampling: 'any', outputTokensMax: 4096 }],
  ])('%s takes what its family takes', (model, expected) => {
    expect(modelProfile(model)).toMatchObject(expected);
  });
});

test.each([
  [undefined, undefined],
  [{ type: 'adaptive' }, undefined],
  [{ type: 'off' }, 'none'],
  [{ type: 'budget', tokens: 1024 }, 'minimal'],
  [{ type: 'budget', tokens: 20_000 }, 'low'],
  [{ type: 'budget', tokens: 40_000 }, 'medium'],
  [{ type: 'budget', tokens: 70_000 }, 'high'],
  [{ type: 'budget', tokens: 99_999 }, 'xhigh'],
] as const)('the thinking %j is the effort %s', (thinking, effort) => {
  expect(effortOfThinking(thinking, 100_000)).toBe(effort);
});

test('a schema keeps what can be kept, and says the rest in words', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: 'T',
    properties: {
      name: { type: 'string', minLength: 1, description: 'Its name.' },
      when: { type: 'string', format: 'date-time' },
      odd: { type: 'string', format: 'color' },
      list: { type: 'array', items: { type: 'object', properties: {} }, minItems: 1, maxItems: 3 },
      any: { oneOf: [{ type: 'null' }, { $ref: '#/$defs/leaf' }] },
      maybe: { type: ['object', 'null'], properties: { a: { const: 1 } }, additionalProperties: true },
      free: true,
    },
    required: ['name'],
    $defs: { leaf: { enum: ['a', 'b'] } },
  };
  expect(toStrictSchema(schema)).toEqual({
    type: 'object',
    title: 'T',
    properties: {
      name: { type: 'string', description: 'Its name.\n\n{minLength: 1}' },
      when: { type: 'string', format: 'date-time' },
      odd: { type: 'string', description: '{format: "color"}' },
      list: {
        type: 'array',
        items: { type: 'object', properties: {}, additionalProperties: false },
        minItems: 1,
        description: '{maxItems: 3}',
      },
      any: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/leaf' }] },
      maybe: { type: ['object', 'null'], properties: { a: { const: 1 } }, additionalProperties: false },
      free: true,
    },
    required: ['name'],
    $defs: { leaf: { enum: ['a', 'b'] } },
    additionalProperties: false,
  });
});
