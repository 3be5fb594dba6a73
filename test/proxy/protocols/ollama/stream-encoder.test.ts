import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { CanonicalResponse, StreamPart } from '../../../../proxy/canonical/response.ts';
import { ollamaChatClientCodec, ollamaChatUpstreamCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';
import { ollamaGenerateClientCodec } from '../../../../proxy/protocols/ollama/generate/codec.ts';
import { createOpenaiChatUpstreamCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import type { AnswerContext, ClientCodec } from '../../../../proxy/protocols/protocol.ts';
import { framesOf, streams as openAiStreams } from '../fixture.ts';
import { collect, context as openAiContext, response, toParts } from '../openai-chat/answer.ts';
import { linesOf } from './fixture.ts';
import { ask, request } from './request-wire.ts';
import { ollamaClientOf } from './sdk.ts';

const openAiChats = openAiStreams.filter(({ protocol }) => protocol === 'openai-chat');

/** Time goes on by 10 ms with every look at it. */
function context(members: Partial<AnswerContext> = {}): AnswerContext {
  let nowMs = 1_700_000_000_000;
  return { ...openAiContext, startedAtMs: nowMs, now: () => (nowMs += 10), ...members };
}

function encode(
  parts: readonly StreamPart[],
  options: Partial<AnswerContext> = {},
  codec: ClientCodec = ollamaChatClientCodec,
): Buffer {
  const encoder = codec.streamEncoder(context(options));
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

function linesIn(bytes: Buffer): readonly Record<string, unknown>[] {
  return linesOf(bytes).map((line) => JSON.parse(line.toString()) as Record<string, unknown>);
}

function fromOpenAi(bytes: Buffer): readonly StreamPart[] {
  const decoder = createOpenaiChatUpstreamCodec(openaiDialect).streamDecoder({ fallbackId: 'f' });
  return [...framesOf(bytes).flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}

/** What the official client adds up to. */
async function accumulate(body: Buffer, chunkBytes: number): Promise<Record<string, unknown>> {
  const { client } = ollamaClientOf({ body, chunkBytes });
  let [content, thinking] = ['', ''];
  const calls: unknown[] = [];
  let last: Record<string, unknown> = {};
  for await (const part of await client.chat({ ...ask, stream: true })) {
    content += part.message.content;
    thinking += part.message.thinking ?? '';
    calls.push(...(part.message.tool_calls ?? []));
    last = { ...part };
  }
  return { ...last, content, thinking, calls };
}

function sorted(calls: unknown): unknown {
  return (calls as readonly unknown[]).map((call) => JSON.stringify(call)).toSorted();
}

describe('lines for the official client', () => {
  test('[188] [190] add up to what it is told as one answer', async () => {
    const cuts = fc.array(fc.nat(), { maxLength: 6 });
    const arbitrary = fc.tuple(response, cuts, fc.boolean(), fc.integer({ min: 1, max: 99 }));
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([answer, places, interleaved, chunkBytes]) => {
        const streamed = await accumulate(encode(toParts(answer, places, interleaved)), chunkBytes);
        const body = ollamaChatClientCodec.encodeResponse(answer, context());
        const headers = { 'content-type': 'application/json' };
        const whole = await ollamaClientOf({ body, headers }).client.chat({ ...ask });
        expect(streamed['content']).toBe(whole.message.content);
        expect(streamed['thinking']).toBe(whole.message.thinking ?? '');
        expect(sorted(streamed['calls'])).toEqual(sorted(whole.message.tool_calls ?? []));
        expect(streamed).toMatchObject({
          model: whole.model,
          done: true,
          done_reason: whole.done_reason,
          prompt_eval_count: whole.prompt_eval_count,
          eval_count: whole.eval_count,
        });
      }),
      { numRuns: 100 },
    );
  });

  test.each(openAiChats.filter(({ finished, error }) => finished && error === undefined))(
    '[188] [196] end as it wants them where $name comes from an upstream of OpenAI',
    async ({ bytes }) => {
      const body = encode(fromOpenAi(bytes));
      expect(await accumulate(body, 20)).toMatchObject({
        done: true,
        done_reason: expect.stringMatching(/^(stop|length)$/),
      });
      expect(linesIn(body).every((line) => !('error' in line))).toBe(true);
    },
  );

  test('are read by the decoder as they were meant', () => {
    const merged = ({ content }: CanonicalResponse): unknown => {
      const spoken = content.flatMap((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : []));
      return [
        ...content.filter(({ type }) => type === 'thinking'),
        ...(spoken.length > 0 ? [{ type: 'text', text: spoken.join('') }] : []),
        ...content.filter(({ type }) => type === 'tool-call'),
      ];
    };
    fc.assert(
      fc.property(response, fc.array(fc.nat(), { maxLength: 6 }), (answer, cuts) => {
        fc.pre(answer.finish !== 'content-filter');
        const decoder = ollamaChatUpstreamCodec.streamDecoder({ fallbackId: 'f' });
        const lines = linesOf(encode(toParts(answer, cuts, false)), 9);
        const sum = collect(lines.flatMap((line) => decoder.decode(line).parts));
        const { inputTokens, outputTokens } = answer.usage!;
        expect(sum.content).toEqual(merged(answer));
        expect(sum).toMatchObject({ finish: answer.finish, usage: { inputTokens, outputTokens } });
      }),
      { numRuns: 300 },
    );
  });
});

describe('[190] calls of tools', () => {
  function call(index: number, id: string): StreamPart {
    return { type: 'block-start', index, block: { type: 'tool-call', id, tool: id } };
  }

  test('whose fragments come side by side are said each when it is whole', () => {
    const lines = linesIn(
      encode([
        { type: 'start', id: 'a', model: 'm' },
        call(0, 'one'),
        call(1, 'two'),
        { type: 'delta', index: 0, text: '{"x"' },
        { type: 'delta', index: 1, text: '{}' },
        { type: 'block-end', index: 1 },
        { type: 'delta', index: 0, text: ':1}' },
        { type: 'block-end', index: 0 },
        { type: 'finish', reason: 'tool-calls' },
      ]),
    );
    const said = (id: string, index: number, input: object): object => ({
      role: 'assistant',
      content: '',
      tool_calls: [{ id, function: { index, name: id, arguments: input } }],
    });
    expect(lines.map(({ message }) => message)).toEqual([
      said('two', 1, {}),
      said('one', 0, { x: 1 }),
      { role: 'assistant', content: '' },
    ]);
    expect(lines.map(({ done, done_reason: reason }) => [done, reason])).toEqual([
      [false, undefined],
      [false, undefined],
      [true, 'stop'],
    ]);
  });

  test('that were cut are left out, and the answer says that it was', () => {
    const lines = linesIn(
      encode([call(0, 'f'), { type: 'delta', index: 0, text: '{"x"' }, { type: 'finish', reason: 'length' }]),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ done: true, done_reason: 'length' });
  });

  test('whose end is not told are said when the answer ends', () => {
    const [line] = linesIn(encode([call(0, 'f'), { type: 'finish', reason: 'tool-calls' }]));
    expect(line).toMatchObject({ message: { tool_calls: [{ id: 'f', function: { name: 'f', arguments: {} } }] } });
  });
});

describe('a line', () => {
  const text: readonly StreamPart[] = [
    { type: 'start', id: 'a', model: '' },
    { type: 'block-start', index: 0, block: { type: 'thinking' } },
    { type: 'delta', index: 0, text: 'Hm' },
    { type: 'block-end', index: 0 },
    { type: 'block-start', index: 1, block: { type: 'text' } },
    { type: 'delta', index: 1, text: 'Yes' },
    { type: 'block-end', index: 1 },
    { type: 'finish', reason: 'stop', usage: { inputTokens: 3, outputTokens: 2 } },
  ];
  const end =
    '"done":true,"done_reason":"stop","total_duration":40000000,"load_duration":0,"prompt_eval_count":3,"prompt_eval_duration":10000000,"eval_count":2,"eval_duration":30000000}\n';

  test('is byte for byte what the server writes', () => {
    expect(encode(text).toString()).toBe(
      [
        '{"model":"asked","created_at":"2023-11-14T22:13:20.020Z","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}\n',
        '{"model":"asked","created_at":"2023-11-14T22:13:20.030Z","message":{"role":"assistant","content":"Yes"},"done":false}\n',
        `{"model":"asked","created_at":"2023-11-14T22:13:20.050Z","message":{"role":"assistant","content":""},${end}`,
      ].join(''),
    );
  });

  test('[200] of generate has its own names', async () => {
    const body = encode(text, {}, ollamaGenerateClientCodec);
    expect(body.toString()).toBe(
      [
        '{"model":"asked","created_at":"2023-11-14T22:13:20.020Z","response":"","thinking":"Hm","done":false}\n',
        '{"model":"asked","created_at":"2023-11-14T22:13:20.030Z","response":"Yes","done":false}\n',
        `{"model":"asked","created_at":"2023-11-14T22:13:20.050Z","response":"",${end}`,
      ].join(''),
    );
    let said = '';
    const { client } = ollamaClientOf({ body, chunkBytes: 7 });
    for await (const part of await client.generate({ model: 'm', prompt: 'p', stream: true })) said += part.response;
    expect(said).toBe('Yes');
  });

  test('[194] shows no thinking to those who want none', () => {
    const lines = linesIn(encode(text, { request: request({ thinking: { type: 'off' } }) }));
    expect(lines.map(({ message }) => message)).toEqual([
      { role: 'assistant', content: 'Yes' },
      { role: 'assistant', content: '' },
    ]);
  });

  test('says that an answer was withheld, since no reason for its end does', () => {
    const lines = linesIn(
      encode([
        { type: 'start', id: 'a', model: 'm' },
        { type: 'finish', reason: 'content-filter' },
      ]),
    );
    expect(lines.map(({ message }) => message)).toEqual([
      { role: 'assistant', content: 'The answer was withheld by a content filter.' },
      { role: 'assistant', content: '' },
    ]);
  });

  test('has durations that are never zero, because clients divide by them', () => {
    const { now: _, startedAtMs: __, ...timeless } = context();
    const encoder = ollamaChatClientCodec.streamEncoder(timeless);
    const last = linesIn(Buffer.concat(text.map((part) => encoder.encode(part)))).at(-1);
    expect(last).toMatchObject({ total_duration: 1, prompt_eval_duration: 1, eval_duration: 1 });
    expect(last).toHaveProperty('created_at', '2023-11-14T22:13:20.000Z');
  });

  test('has the log probabilities that an upstream of OpenAI tells', () => {
    const { bytes } = openAiChats.find(({ name }) => name === 'openai-logprobs.sse')!;
    const told = linesIn(encode(fromOpenAi(bytes))).flatMap((line) => line['logprobs'] ?? []);
    expect(told.length).toBeGreaterThan(0);
    expect(told[0]).toMatchObject({ token: expect.any(String), logprob: expect.any(Number) });
  });
});
