import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { anthropicMessagesClientCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { cohereUpstreamCodec as codec } from '../../../../proxy/protocols/cohere/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { ClientCodec } from '../../../../proxy/protocols/protocol.ts';
import { collect } from '../anthropic-messages/answer.ts';
import { clientOf as anthropicOf, ask as askAnthropic, versions } from '../anthropic-messages/sdk.ts';
import { framesOf } from '../fixture.ts';
import { decode } from '../gemini/fixture.ts';
import { context } from '../openai-chat/answer.ts';
import { clientOf } from '../sdk.ts';
import { bytesOf, streams } from './fixture.ts';

const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };
const id = '29f14a5a-11de-4cae-9800-25e4747408ea';

function encode(parts: readonly StreamPart[], client: ClientCodec): Buffer {
  const encoder = client.streamEncoder(context);
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

describe('the decoder', () => {
  test.each(streams)('judges $name the same however it is cut', ({ bytes, empty, usage, finished, error }) => {
    for (const size of [bytes.length, 1, 13]) {
      const decoder = codec.streamDecoder({ fallbackId: 'f' });
      for (const frame of framesOf(bytes, size)) decoder.decode(frame);
      expect(decoder.end()).toEqual([]);
      expect({
        empty: decoder.empty,
        usage: decoder.usage,
        finished: decoder.finished,
        error: decoder.error?.type,
        nextSequence: decoder.nextSequence,
      }).toEqual({ empty, usage, finished, error, nextSequence: 0 });
    }
  });

  test.each(streams)('gives the same parts of $name however it is cut', ({ bytes }) => {
    const whole = decode(codec, bytes);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length }), (size) => {
        expect(decode(codec, bytes, size)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test.each(streams.filter(({ finished, error }) => finished && error === undefined))(
    '[127] closes every block of $name and finishes once, at the end',
    ({ bytes, usage }) => {
      expect(collect(decode(codec, bytes)).usage).toEqual(usage);
    },
  );

  test.each(streams.filter(({ finished, error }) => !finished || error !== undefined))(
    '[127] does not finish $name',
    ({ bytes, error }) => {
      const parts = decode(codec, bytes);
      expect(parts.some(({ type }) => type === 'finish')).toBe(false);
      expect(parts.filter(({ type }) => type === 'error')).toHaveLength(error === undefined ? 0 : 1);
    },
  );

  test.each([
    ['text.sse', [{ type: 'text', text: 'Hello "wörld"\n😀!' }], 'stop'],
    [
      'thinking.sse',
      [
        { type: 'thinking', text: 'Let me see.' },
        { type: 'text', text: '42' },
      ],
      'stop',
    ],
    [
      'tools.sse',
      [
        { type: 'thinking', text: 'I will look.' },
        { type: 'tool-call', id: 'get_weather_nq0wbv1c', tool: 'get_weather', input: '{"city": "Köln"}' },
        { type: 'tool-call', id: 'get_time_8xk1', tool: 'get_time', input: '{}' },
      ],
      'tool-calls',
    ],
    [
      'null-in-pieces.sse',
      [
        { type: 'tool-call', id: 'a1', tool: 'f', input: '{}' },
        { type: 'tool-call', id: 'a2', tool: 'g', input: '{}' },
        { type: 'tool-call', id: 'a3', tool: 'h', input: '{"n": null}' },
      ],
      'tool-calls',
    ],
    ['max-tokens-in-call.sse', [{ type: 'tool-call', id: 'a1', tool: 'f', input: '{"a": "b' }], 'length'],
    ['stop-sequence.sse', [{ type: 'text', text: 'One' }], 'stop-sequence'],
    ['unknown-events.sse', [{ type: 'text', text: 'One' }], 'stop'],
    ['empty.sse', [], 'stop'],
  ])('[126] [127] [128] reads %s', (name, content, finish) => {
    const parts = decode(codec, bytesOf(name));
    expect(parts[0]).toEqual({ type: 'start', id, model: '' });
    expect(collect(parts)).toMatchObject({ content, finish });
    expect(collect(parts).content).toHaveLength(content.length);
  });

  test('keeps citations for whoever knows them', () => {
    expect(decode(codec, bytesOf('citations.sse')).at(-1)).toMatchObject({
      metadata: { cohere: { citations: [{ text: 'Emperor' }] } },
    });
  });
});

describe.each(['v6', 'v7'] as const)("a client of OpenAI's %s", (version) => {
  const stream = (name: string) => {
    const body = encode(decode(codec, bytesOf(name)), openaiChatClientCodec);
    return clientOf(version, { body }).client.chat.completions.stream({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
  };

  /** The client's own sum keeps only the last of what it does not know. */
  async function reasoningOf(name: string): Promise<string> {
    const body = encode(decode(codec, bytesOf(name)), openaiChatClientCodec);
    let reasoning = '';
    for await (const { choices } of await clientOf(version, { body }).client.chat.completions.create({
      ...ask,
      stream: true,
    })) {
      reasoning += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
    }
    return reasoning;
  }

  test('[126] [128] has calls with arguments that are JSON, and the plan before them', async () => {
    const { choices, usage } = await stream('tools.sse').finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    expect(await reasoningOf('tools.sse')).toBe('I will look.');
    expect(choices[0]?.message.tool_calls).toMatchObject([
      {
        id: 'get_weather_nq0wbv1c',
        type: 'function',
        function: { name: 'get_weather', arguments: '{"city": "Köln"}' },
      },
      { id: 'get_time_8xk1', type: 'function', function: { name: 'get_time', arguments: '{}' } },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 50, completion_tokens: 30 });
  });

  test('[127] [128] has the thinking and the finish', async () => {
    const { choices } = await stream('thinking.sse').finalChatCompletion();
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '42' } });
    expect(await reasoningOf('thinking.sse')).toBe('Let me see.');
    const { choices: cut } = await stream('max-tokens-in-call.sse').finalChatCompletion();
    expect(cut[0]?.finish_reason).toBe('length');
  });
});

describe.each(versions)("a client of Anthropic's %s", (version) => {
  test('[186] has the plan as thinking before its calls', async () => {
    const body = encode(decode(codec, bytesOf('tools.sse')), anthropicMessagesClientCodec);
    const message = await anthropicOf(version, { body }).client.messages.stream(askAnthropic).finalMessage();
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'I will look.' },
        { type: 'tool_use', name: 'get_weather', input: { city: 'Köln' } },
        { type: 'tool_use', name: 'get_time', input: {} },
      ],
    });
  });
});
