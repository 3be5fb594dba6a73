import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalResponse, FinishReason, StreamPart } from '../../../../proxy/canonical/response.ts';
import { openaiChatUpstream } from '../../../../proxy/protocols/openai-chat/upstream.ts';
import { openaiCompletionsClientCodec } from '../../../../proxy/protocols/openai-completions/codec.ts';
import type { AnswerContext } from '../../../../proxy/protocols/protocol.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { framesOf } from '../fixture.ts';
import { context, response, toParts } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';

const versions = ['v6', 'v7'] as const;
const ask = { model: 'm', prompt: 'hi' };
const plain: CanonicalResponse = {
  id: 'cmpl-1',
  model: 'm',
  createdAt: 7,
  content: [
    { type: 'thinking', text: 'hm' },
    { type: 'text', text: ' there' },
  ],
  finish: 'stop',
  usage: { inputTokens: 2, outputTokens: 1 },
  metadata: {},
};

function asChat(body: object): unknown {
  const request = openaiCompletionsClientCodec.decodeRequest(Buffer.from(JSON.stringify(body)));
  return JSON.parse(openaiChatUpstream().encodeRequest(request).body.toString());
}

function encode(parts: readonly StreamPart[], options: Partial<AnswerContext> = {}): Buffer {
  const encoder = openaiCompletionsClientCodec.streamEncoder({ ...context, ...options });
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

describe('a request', () => {
  test.each([['hi'], [['hi']]])('[64] says %j as a user', (prompt) => {
    const asked = {
      model: 'm',
      prompt,
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      seed: 1,
      stop: 'X',
      presence_penalty: 1,
      frequency_penalty: -1,
      logit_bias: { '5': 1 },
      user: 'u',
      best_of: 1,
      echo: false,
      suffix: '',
      logprobs: null,
    };
    expect(asChat(asked)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      max_completion_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      seed: 1,
      stop: ['X'],
      presence_penalty: 1,
      frequency_penalty: -1,
      logit_bias: { '5': 1 },
      safety_identifier: 'u',
    });
  });

  test('wants 16 tokens where it does not say', () => {
    expect(asChat(ask)).toMatchObject({ max_completion_tokens: 16 });
  });

  test.each([
    [{ prompt: ['a', 'b'] }, 'prompt must be one text'],
    [{ prompt: [1, 2] }, 'prompt must be a string'],
    [{ prompt: [[1, 2]] }, 'prompt must be a string'],
    [{ prompt: [] }, 'prompt must be a string'],
    [{ prompt: undefined }, 'prompt must be a string'],
    [{ echo: true }, 'echo is not supported'],
    [{ suffix: 'x' }, 'suffix is not supported'],
    [{ best_of: 2 }, 'best_of is not supported'],
    [{ logprobs: 0 }, 'logprobs is not supported'],
    [{ stop: [1] }, 'stop must be a string'],
  ])('%j is refused by name', (body, message) => {
    expect(() => asChat({ ...ask, ...body })).toThrow(message);
  });
});

describe('an answer', () => {
  test('[64] is a text completion, byte for byte', () => {
    expect(openaiCompletionsClientCodec.encodeResponse(plain, context).toString()).toBe(
      '{"id":"cmpl-1","object":"text_completion","created":7,"model":"m",' +
        '"choices":[{"text":" there","index":0,"logprobs":null,"finish_reason":"stop"}],' +
        '"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}',
    );
  });

  test('[64] streams as text completions, byte for byte', () => {
    const head = '{"id":"cmpl-1","object":"text_completion","created":7,"model":"m","choices":';
    const chunk = (text: string, finish: string): string =>
      `data: ${head}[{"text":"${text}","index":0,"logprobs":null,"finish_reason":${finish}}],"usage":null}\n\n`;
    expect(encode(toParts(plain, [3], false)).toString()).toBe(
      chunk(' th', 'null') +
        chunk('ere', 'null') +
        chunk('', '"stop"') +
        `data: ${head}[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}\n\n` +
        'data: [DONE]\n\n',
    );
    const unasked = encode(toParts(plain, [], false), { wantsUsage: false }).toString();
    expect(unasked).not.toContain('usage');
  });

  test.each<[FinishReason, string]>([
    ['stop-sequence', 'stop'],
    ['tool-calls', 'stop'],
    ['length', 'length'],
    ['context-window', 'length'],
    ['content-filter', 'content_filter'],
    ['refusal', 'content_filter'],
  ])('[64] that ended with %s ends with %s', (finish, expected) => {
    const body = openaiCompletionsClientCodec.encodeResponse({ ...plain, finish }, context).toString();
    expect(body).toContain(`"finish_reason":"${expected}"`);
    expect(encode(toParts({ ...plain, finish }, [], false)).toString()).toContain(`"finish_reason":"${expected}"`);
  });

  test.each(versions)('[64] is read by %s, whole and streamed, whatever is in it', async (version) => {
    await fc.assert(
      fc.asyncProperty(response, fc.array(fc.nat(), { maxLength: 4 }), async (answer, cuts) => {
        const said = answer.content.flatMap((block) =>
          block.type === 'text' || block.type === 'refusal' ? [block.text] : [],
        );
        const whole = openaiCompletionsClientCodec.encodeResponse(answer, context);
        const json = { 'content-type': 'application/json' };
        const completion = await clientOf(version, { body: whole, headers: json }).client.completions.create(ask);
        expect(completion.choices[0]?.text).toBe(said.join(''));
        const body = encode(toParts(answer, cuts, true));
        const { client } = clientOf(version, { body, chunkBytes: 50 });
        let text = '';
        let total: number | undefined;
        for await (const chunk of await client.completions.create({ ...ask, stream: true })) {
          text += chunk.choices[0]?.text ?? '';
          total = chunk.usage?.total_tokens ?? total;
        }
        expect(text).toBe(said.join(''));
        expect(total).toBe(answer.usage!.inputTokens + answer.usage!.outputTokens);
      }),
      { numRuns: 20 },
    );
  });

  test('is judged by the tap of the pass-through lane as it was meant', () => {
    const tap = protocols['openai-completions'].passThrough.tap({ hideUsage: false });
    for (const frame of framesOf(encode(toParts(plain, [], false)))) tap.frame(frame);
    expect(tap).toMatchObject({ finished: true, done: true, empty: false, error: undefined, usage: plain.usage });
  });
});
