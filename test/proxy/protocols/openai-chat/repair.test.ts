// Streams of servers that are nearly OpenAI's, as the official clients put them together.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOpenaiChatUpstreamCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import { openaiDialect } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { serverSentEvents } from '../../../../proxy/stream/sse-frames.ts';
import { StreamReader } from '../../../../proxy/stream/stream-reader.ts';
import { cutAt } from '../../stream/frames.ts';
import { framesOf } from '../fixture.ts';
import { clientOf } from '../sdk.ts';
import { collect } from './answer.ts';

const upstream = createOpenaiChatUpstreamCodec(openaiDialect);
const versions = ['v6', 'v7'] as const;

function chunk(members: object): string {
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', ...members })}\n\n`;
}

function delta(members: object, finish: string | null = null): string {
  return chunk({ choices: [{ index: 0, delta: members, finish_reason: finish }] });
}

function call(members: object, name?: string, words?: string): string {
  return delta({
    tool_calls: [{ ...members, function: { ...(name && { name }), ...(words && { arguments: words }) } }],
  });
}

const role = delta({ role: 'assistant', content: '' });
const end = `${delta({}, 'tool_calls')}data: [DONE]\n\n`;

/** What the client gets of a stream. */
function pass(text: string, positions: readonly number[] = []): string {
  const tap = protocols['openai-chat'].passThrough.tap({ hideUsage: true });
  const settings = {
    format: serverSentEvents,
    headers: {},
    onMalformed: () => expect.unreachable('it is well formed'),
  };
  const reader = new StreamReader(tap, settings);
  const passages = [...cutAt(Buffer.from(text), positions).map((bytes) => reader.read(bytes)), reader.end(undefined)];
  expect(passages.map(({ failure }) => failure).filter((failure) => failure !== undefined)).toEqual([]);
  return Buffer.concat(passages.flatMap(({ bytes }) => bytes)).toString();
}

async function callsOf(version: (typeof versions)[number], body: string): Promise<unknown[]> {
  const { client } = clientOf(version, { body, headers: { 'content-type': 'text/event-stream' } });
  const messages = [{ role: 'user' as const, content: 'x' }];
  const { choices } = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();
  return (choices[0]?.message.tool_calls ?? []).map((each) => {
    const { id, type } = each;
    return { id, type, ...('function' in each && { name: each.function.name, arguments: each.function.arguments }) };
  });
}

const a = { id: 'a', type: 'function' };
const b = { id: 'b', type: 'function' };
const first = { ...a, name: 'f', arguments: '{"x":1}' };
const second = { ...b, name: 'g', arguments: '{"y":2}' };

const streams: readonly (readonly [string, string, readonly unknown[]])[] = [
  ['[35] calls without an index', role + call(a, 'f', '{"x":1}') + call(b, 'g', '{"y":2}') + end, [first, second]],
  [
    '[35] fragments without an index, which belong to the call before them',
    role + call(a, 'f', '{"x"') + call({}, undefined, ':1}') + call(b, 'g', '{"y"') + call({}, undefined, ':2}') + end,
    [first, second],
  ],
  [
    '[36] several calls under index 0',
    role +
      call({ index: 0, ...a }, 'f', '{"x"') +
      call({ index: 0 }, undefined, ':1') +
      call({ index: 0 }, undefined, '}') +
      call({ index: 0, ...b }, 'g', '{"y"') +
      call({ index: 0 }, undefined, ':2') +
      call({ index: 0 }, undefined, '}') +
      end,
    [first, second],
  ],
  [
    '[36] several calls under index 0 without ids, told apart by their names',
    role +
      call({ index: 0 }, 'f', '{"x"') +
      call({ index: 0 }, 'f', ':1}') +
      call({ index: 0 }, 'g', '{"y"') +
      call({ index: 0 }, undefined, ':2}') +
      end,
    [
      { ...first, id: 'call_c1_0' },
      { ...second, id: 'call_c1_1' },
    ],
  ],
  [
    '[36] a call under index 0 with another name and no id behind one that has an id',
    role + call({ index: 0, ...a }, 'f', '{"x":1}') + call({ index: 0 }, 'g', '{"y":2}') + end,
    [first, { ...second, id: 'call_c1_1' }],
  ],
  [
    '[37] a name that comes behind the id of its call, without an index',
    role + call(a) + call({}, 'f', '{"x"') + call({}, undefined, ':1}') + end,
    [first],
  ],
  [
    '[37] names and ids said again with every fragment',
    role + call({ index: 0, ...a }, 'f', '{"x"') + call({ index: 0, ...a }, 'f', ':1}') + end,
    [first],
  ],
  [
    '[38] calls without an id',
    role + call({ index: 0, type: 'function' }, 'f', '{"x":1}') + end,
    [{ ...first, id: 'call_c1_0' }],
  ],
  ['calls without a type', role + call({ index: 0, id: 'a' }, 'f', '{"x":1}') + end, [first]],
  [
    'calls that begin with a hole',
    role + call({ index: 1, ...a }, 'f', '{"x":1}') + call({ index: 2, ...b }, 'g', '{"y":2}') + end,
    [first, second],
  ],
];

describe('a stream that is passed through', () => {
  test.each(streams)('%s: it is mended for every version of the official client', async (_name, text, calls) => {
    const passed = pass(text);
    for (const version of versions) expect(await callsOf(version, passed)).toEqual(calls);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (positions) => {
        expect(pass(text, positions)).toBe(passed);
      }),
      { numRuns: 50 },
    );
  });

  test.each(streams)('%s: it has the same calls for clients of other protocols', (_name, text, calls) => {
    const decoder = upstream.streamDecoder({ fallbackId: 'f' });
    const frames = framesOf(Buffer.from(text), text.length);
    const { content } = collect([...frames.flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()]);
    const named = content.map((block) => {
      if (block.type !== 'tool-call') throw new Error(block.type);
      return { id: block.id, type: 'function', name: block.tool, arguments: block.input };
    });
    expect(named).toEqual(calls);
  });

  test('[37] has no name twice for clients that put strings together', () => {
    const [, text] = streams.find(([name]) => name.startsWith('[37] names and ids said again'))!;
    expect(pass(text).match(/"name":"f"/g)).toHaveLength(1);
    expect(pass(text).match(/"id":"a"/g)).toHaveLength(1);
  });

  test('[36] keeps apart what several choices call', () => {
    const choice = (index: number, members: object): string =>
      chunk({ choices: [{ index, delta: { tool_calls: [members] }, finish_reason: null }] });
    const text =
      choice(0, { index: 0, ...a, function: { name: 'f', arguments: '{}' } }) +
      choice(1, { index: 0, ...b, function: { name: 'f', arguments: '{}' } });
    const ends = [0, 1]
      .map((index) => chunk({ choices: [{ index, delta: {}, finish_reason: 'tool_calls' }] }))
      .join('');
    expect(pass(text + ends)).toBe(text + ends);
  });

  test('[34] [39] keeps its bytes where there is nothing to mend', () => {
    const good =
      role +
      delta({ content: 'x', tool_calls: [] }) +
      call({ index: 0, ...a }, 'f', '') +
      ['{"x"', ':', '1', '}'].map((words) => call({ index: 0 }, undefined, words)).join('') +
      call({ index: 1, ...b }, 'g', '{"y":2}') +
      end;
    expect(pass(good)).toBe(good);
  });
});

describe('43: Azure’s first chunk, which has no id', () => {
  const filter = { prompt_filter_results: [{ prompt_index: 0 }] };
  const nameless = chunk({ id: '', model: '', object: '', created: 0, choices: [], ...filter });

  test('is said with the next one', () => {
    const passed = pass(nameless + role + delta({ content: 'x' }) + end);
    const chunks = passed
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice(6)) as Record<string, unknown>);
    expect(chunks.map(({ id, model }) => [id, model])).toEqual(chunks.map(() => ['c1', 'm']));
    expect(chunks[0]).toMatchObject({ ...filter, object: 'chat.completion.chunk', created: 1 });
    expect(passed.slice(passed.indexOf('\n\n') + 2)).toBe(delta({ content: 'x' }) + end);
  });
});

describe('[38] a whole answer', () => {
  const answer = (calls: readonly object[]): Buffer =>
    Buffer.from(
      JSON.stringify({ id: 'c1', choices: [{ message: { tool_calls: calls }, finish_reason: 'tool_calls' }] }),
    );
  const whole = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };

  test('has ids and types of calls, the same each time', () => {
    const { id: _, type: __, ...bare } = whole;
    const { body } = protocols['openai-chat'].passThrough.readAnswer(answer([whole, bare]));
    expect(JSON.parse(body?.toString() ?? '')).toMatchObject({
      choices: [{ message: { tool_calls: [whole, { ...whole, id: 'call_c1_1' }] } }],
    });
  });

  test('keeps its bytes where they are there', () => {
    expect(protocols['openai-chat'].passThrough.readAnswer(answer([whole])).body).toBeUndefined();
    expect(protocols['openai-chat'].passThrough.readAnswer(answer([])).body).toBeUndefined();
  });
});
