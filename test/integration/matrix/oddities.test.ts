// What vendors and servers send that their documentation does not show: every official client puts together the same
// message from it, wherever it comes from.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import type { UpstreamRequest } from '../../support/upstream.ts';
import { dataEvent, type Json, namedEvent, speak } from '../../support/vendors/vendor.ts';
import { vendors } from '../../support/vendors/vendors.ts';
import { clients, stageOf } from './pairs.ts';

interface Oddity {
  readonly name: string;
  readonly frames: (request: UpstreamRequest) => readonly string[];
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly input: Json }[];
}

const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const done = 'data: [DONE]\n\n';

/** A chunk of a chat completion. */
function chunk(delta: Json, finish: string | null = null, rest: Json = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return dataEvent({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'qwen3', choices, ...rest });
}

const usageChunk = dataEvent({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'qwen3',
  choices: [],
  usage,
});

function piece(members: Json): string {
  return chunk({ tool_calls: [members] });
}

/** The usual end. */
function ended(...frames: readonly string[]): () => readonly string[] {
  return () => [chunk({ role: 'assistant', content: '' }), ...frames, chunk({}, 'tool_calls'), usageChunk, done];
}

function said(...frames: readonly string[]): () => readonly string[] {
  return () => [chunk({ role: 'assistant', content: '' }), ...frames, chunk({}, 'stop'), usageChunk, done];
}

const oslo = { name: 'weather', input: { place: 'Oslo' } };
const utc = { name: 'time', input: { zone: 'UTC' } };
const bare = { name: 'time', input: {} };
const begin = (index: number, id: string, name: string, text?: string): Json => {
  return { index, id, type: 'function', function: { name, ...(text !== undefined && { arguments: text }) } };
};
const fragment = (index: number, text: string): Json => ({ index, function: { arguments: text } });

const oddities: readonly Oddity[] = [
  {
    name: 'arguments in one piece',
    frames: ended(
      piece(begin(0, 'a1', 'weather', '{"place":"Oslo"}')),
      piece(begin(1, 'a2', 'time', '{"zone":"UTC"}')),
    ),
    calls: [oslo, utc],
  },
  {
    name: 'arguments in none',
    frames: ended(piece(begin(0, 'a1', 'weather', '{"place":"Oslo"}')), piece(begin(1, 'a2', 'time', ''))),
    calls: [oslo, bare],
  },
  {
    name: 'arguments only at the end',
    frames: ended(
      piece(begin(0, 'a1', 'weather', '')),
      piece(fragment(0, '')),
      chunk({ content: null }),
      piece(fragment(0, '')),
      piece(fragment(0, '{"place":"Oslo"}')),
    ),
    calls: [oslo],
  },
  {
    name: '[158] fragments of two calls in turns',
    frames: ended(
      piece(begin(0, 'a1', 'weather', '')),
      piece(begin(1, 'a2', 'time', '{')),
      piece(fragment(0, '{"place":')),
      piece(fragment(1, '"zone":"UTC"')),
      piece(fragment(0, '"Oslo"}')),
      piece(fragment(1, '}')),
    ),
    calls: [oslo, utc],
  },
  {
    name: '[36] two calls with the same index',
    frames: ended(
      piece(begin(0, 'a1', 'weather', '{"place":"Oslo"}')),
      piece(begin(0, 'a2', 'time', '{"zone":"UTC"}')),
    ),
    calls: [oslo, utc],
  },
  {
    name: '[37] name and id with every fragment',
    frames: ended(
      piece(begin(0, 'a1', 'weather', '{"place"')),
      piece(begin(0, 'a1', 'weather', ':"Oslo"}')),
      piece(begin(1, 'a2', 'time', '{"zone":"UTC"}')),
    ),
    calls: [oslo, utc],
  },
  {
    name: '[39] no calls, in a list',
    frames: said(chunk({ content: 'good ', tool_calls: [] }), chunk({ content: 'day', tool_calls: [] })),
    text: 'good day',
  },
  {
    name: '[160] a second beginning',
    frames: said(chunk({ content: 'good ' }), chunk({ role: 'assistant', content: '' }), chunk({ content: 'day' })),
    text: 'good day',
  },
  {
    name: '[159] thinking in two places, and in one chunk with text',
    frames: said(
      chunk({ reasoning: 'hm' }),
      chunk({ reasoning: ' so', content: 'good ' }),
      chunk({ reasoning: 'well' }),
      chunk({ content: 'day' }),
    ),
    text: 'good day',
  },
  {
    name: 'usage in every chunk',
    frames: () => [
      ...['', 'good ', 'day'].map((content, index) =>
        chunk({ role: 'assistant', content }, null, { usage: { ...usage, completion_tokens: index } }),
      ),
      chunk({}, 'stop', { usage }),
      usageChunk,
      done,
    ],
    text: 'good day',
  },
  {
    name: 'usage in none',
    frames: () => [chunk({ role: 'assistant', content: 'good day' }), chunk({}, 'stop'), done],
    text: 'good day',
  },
  {
    name: '[6] no marker of the end',
    frames: () => [chunk({ role: 'assistant', content: 'good day' }), chunk({}, 'stop'), usageChunk],
    text: 'good day',
  },
  {
    name: '[8] no blank line at the end',
    frames: () => [chunk({ role: 'assistant', content: 'good day' }), usageChunk, chunk({}, 'stop').trimEnd()],
    text: 'good day',
  },
  {
    name: '[3] [5] comments, pings and other line ends',
    frames: () =>
      [
        ': OPENROUTER PROCESSING\n\n',
        chunk({ role: 'assistant', content: 'good ' }),
        'event: ping\n\n',
        'data: : keep-alive\n\n',
        chunk({ content: 'day' }),
        chunk({}, 'stop'),
        usageChunk,
        done,
      ].map((frame) => frame.replaceAll('\n', '\r\n')),
    text: 'good day',
  },
];

const block = (type: string, members: Json): string => namedEvent(type, { type, ...members });
const anthropicEnd = (reason: string): readonly string[] => [
  block('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 7 } }),
  block('message_stop', {}),
];
const anthropicStart = block('message_start', {
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 11, output_tokens: 1 },
  },
});

const ofAnthropic: readonly Oddity[] = [
  {
    name: '[183] signed and hidden thinking, pings between',
    frames: () => [
      anthropicStart,
      block('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
      block('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } }),
      block('ping', {}),
      block('content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } }),
      block('content_block_stop', { index: 0 }),
      block('content_block_start', { index: 1, content_block: { type: 'redacted_thinking', data: 'aGlkZGVu' } }),
      block('content_block_stop', { index: 1 }),
      block('content_block_start', { index: 2, content_block: { type: 'text', text: '' } }),
      block('content_block_delta', { index: 2, delta: { type: 'text_delta', text: 'good day' } }),
      block('content_block_stop', { index: 2 }),
      ...anthropicEnd('end_turn'),
    ],
    text: 'good day',
  },
  {
    name: '[84] [157] calls alone, one of them without a fragment',
    frames: () => [
      anthropicStart,
      block('content_block_start', {
        index: 0,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      }),
      block('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: '{"place":"Oslo"}' } }),
      block('content_block_stop', { index: 0 }),
      block('content_block_start', {
        index: 1,
        content_block: { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} },
      }),
      block('content_block_stop', { index: 1 }),
      ...anthropicEnd('tool_use'),
    ],
    calls: [oslo, bare],
  },
];

describe.each([
  ['OpenAICompatible', oddities],
  ['Anthropic', ofAnthropic],
] as const)('of %s', (name, list) => {
  const vendor = vendors.find((one) => one.name === name)!;
  let stage: Stage<'it'>;
  beforeAll(async () => {
    stage = await stageOf(vendor);
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it.each(list)('$name', async ({ frames, text = '', calls = [] }) => {
    stage.upstreams.it.script = speak({ ...vendor, frames: (_, request) => frames(request) }, {});
    for (const client of clients) {
      const told = await client.ask(stage.gateway.url, { user: 'one', tools: ['weather', 'time'] }, true);
      expect([told.text, told.calls.map(({ name: tool, input }) => ({ name: tool, input }))], client.name).toEqual([
        text,
        calls,
      ]);
      expect(new Set(told.calls.map(({ id }) => id)).size, client.name).toBe(
        client.name.startsWith('ollama') ? new Set(calls.map((call) => call.name)).size : calls.length,
      );
      // Where nobody says, clients of OpenAI are told nothing (-1 here); nobody is told less than 0.
      for (const tokens of Object.values(told.usage)) expect(tokens, client.name).toBeGreaterThanOrEqual(-1);
    }
  });
});
