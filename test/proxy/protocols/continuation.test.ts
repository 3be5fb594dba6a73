// Streams that are cut behind every one of their frames and gone on with: the client must hear nothing twice, and the end
// of everything that it was told the beginning of.

import { describe, expect, it } from 'vitest';
import { MessageStreamEncoder } from '../../../proxy/protocols/anthropic-messages/stream-encoder.ts';
import { type ContinuationSettings, createContinuation } from '../../../proxy/protocols/continuation.ts';
import { ChatStreamDecoder } from '../../../proxy/protocols/openai-chat/stream-decoder.ts';
import { ResponseStreamEncoder } from '../../../proxy/protocols/openai-responses/stream-encoder.ts';
import { createChatAnswers } from '../../../proxy/protocols/lane-chat.ts';
import type {
  AnswerContext,
  OpenStreamDecoder,
  Prefill,
  ProtocolId,
  StreamEncoder,
} from '../../../proxy/protocols/protocol.ts';
import { recordAnswers } from '../../../proxy/protocols/recorded.ts';
import { upstreamOperation } from '../../../proxy/protocols/operations.ts';
import { protocolOf, protocols } from '../../../proxy/protocols/registry.ts';
import { openaiChatUpstream } from '../../../proxy/protocols/openai-chat/upstream.ts';
import { Transcript } from '../../../proxy/protocols/transcript.ts';
import { dataOf } from '../../support/client.ts';

interface Event {
  readonly type: string;
  readonly [member: string]: unknown;
}

const text = 'one two';

function eventFrames(events: readonly Event[]): Buffer[] {
  return events.map((event, index) => {
    const numbered = event.type.startsWith('response.') ? { ...event, sequence_number: index } : event;
    return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(numbered)}\n\n`);
  });
}

function chatFrames(...deltas: readonly object[]): Buffer[] {
  const chunk = (delta: object, reason: string | null = null): Buffer => {
    const choices = [{ index: 0, delta, finish_reason: reason }];
    return Buffer.from(`data: ${JSON.stringify({ id: 'x', created: 1, model: 'u', choices })}\n\n`);
  };
  return [...deltas.map((delta) => chunk(delta)), chunk({}, 'stop'), Buffer.from('data: [DONE]\n\n')];
}

const context: AnswerContext = { requestId: 'r', model: 'm', createdAt: 1, wantsUsage: true };
const begin: Event = {
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1 } },
};
const words = (index: number, delta: object): Event => ({ type: 'content_block_delta', index, delta });
const block = (index: number, content: object): Event => {
  return { type: 'content_block_start', index, content_block: content };
};

const messages: readonly Event[] = [
  begin,
  block(0, { type: 'thinking', thinking: '', signature: '' }),
  words(0, { type: 'thinking_delta', thinking: 'hm' }),
  { type: 'content_block_stop', index: 0 },
  block(1, { type: 'text', text: '' }),
  words(1, { type: 'text_delta', text: 'one' }),
  words(1, { type: 'text_delta', text: ' two' }),
  { type: 'content_block_stop', index: 1 },
];

const response = { id: 'resp_1', object: 'response', model: 'm', created_at: 1, status: 'in_progress', output: [] };
const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
const summary = { type: 'summary_text', text: 'hm' };
const inReasoning = { item_id: 'rs_1', output_index: 0, summary_index: 0 };
const message = (number: number): object => ({ id: `msg_${number}`, type: 'message', role: 'assistant', content: [] });
const part = { type: 'output_text', text: '', annotations: [] };
const inMessage = (index: number, number = index): object => {
  return { item_id: `msg_${number}`, output_index: index, content_index: 0 };
};

const responseBegins: readonly Event[] = [
  { type: 'response.created', response },
  { type: 'response.in_progress', response },
];
const reasons: readonly Event[] = [
  { type: 'response.output_item.added', output_index: 0, item: reasoning },
  { type: 'response.reasoning_summary_part.added', ...inReasoning, part: { ...summary, text: '' } },
  { type: 'response.reasoning_summary_text.delta', ...inReasoning, delta: 'hm' },
  { type: 'response.reasoning_summary_text.done', ...inReasoning, text: 'hm' },
  { type: 'response.reasoning_summary_part.done', ...inReasoning, part: summary },
  { type: 'response.output_item.done', output_index: 0, item: { ...reasoning, summary: [summary] } },
];
const says = (index: number, ...deltas: readonly string[]): readonly Event[] => [
  { type: 'response.output_item.added', output_index: index, item: message(index) },
  { type: 'response.content_part.added', ...inMessage(index), part },
  ...deltas.map((delta) => ({ type: 'response.output_text.delta', ...inMessage(index), delta, logprobs: [] })),
  { type: 'response.output_text.done', ...inMessage(index), text: deltas.join(''), logprobs: [] },
  { type: 'response.content_part.done', ...inMessage(index), part: { ...part, text: deltas.join('') } },
  { type: 'response.output_item.done', output_index: index, item: message(index) },
];
const partsOfOne: readonly Event[] = ['one', ' two'].flatMap((delta, index) => {
  const place = { ...inMessage(1), content_index: index };
  return [
    { type: 'response.content_part.added', ...place, part },
    { type: 'response.output_text.delta', ...place, delta, logprobs: [] },
    { type: 'response.output_text.done', ...place, text: delta, logprobs: [] },
    { type: 'response.content_part.done', ...place, part: { ...part, text: delta } },
  ];
});

/** A client's protocol: what it is written by, and streams of upstreams that are passed on. */
interface Side {
  readonly id: ProtocolId;
  readonly encoder: () => StreamEncoder;
  readonly streams: Readonly<Record<string, readonly Event[]>>;
}

const sides: readonly Side[] = [
  {
    id: 'anthropic-messages',
    encoder: () => new MessageStreamEncoder(context),
    streams: { 'thinking and a text': messages, 'a text': [begin, block(0, { type: 'text', text: '' })] },
  },
  {
    id: 'openai-responses',
    encoder: () => new ResponseStreamEncoder(context),
    streams: {
      'reasoning and a message': [...responseBegins, ...reasons, ...says(1, 'one', ' two')],
      'a message that is not counted from zero': [...responseBegins, ...says(2, 'one', ' two')],
      'two messages': [...responseBegins, ...says(0, 'one'), ...says(1, ' two')],
      'a message of two parts': [
        ...responseBegins,
        ...reasons,
        { type: 'response.output_item.added', output_index: 1, item: message(1) },
        ...partsOfOne,
        { type: 'response.output_item.done', output_index: 1, item: message(1) },
      ],
      'reasoning in other words': [
        ...responseBegins,
        { type: 'response.output_item.added', output_index: 0, item: reasoning },
        { type: 'response.reasoning_text.delta', item_id: 'rs_1', output_index: 0, content_index: 0, delta: 'hm' },
        { type: 'response.output_item.done', output_index: 0, item: reasoning },
        ...says(1, 'one', ' two'),
      ],
    },
  },
];

/** What a client has of an answer, and what is remembered of it. */
interface Had {
  readonly heard: string;
  readonly transcript: Transcript;
}

/** The first answer, passed on. */
function passedOn({ id }: Side, frames: readonly Buffer[]): Had {
  const { passThrough, openDecoder } = protocolOf(id);
  const transcript = new Transcript();
  const tap = recordAnswers(passThrough!, openDecoder!, transcript).tap({ hideUsage: false });
  for (const frame of frames) tap.frame(frame);
  expect(transcript.resumable).toBe(true);
  return { heard: Buffer.concat(frames).toString(), transcript };
}

/** Another answer, as far as it comes, as the rest of it. */
function goneOn(side: Side, had: Had, frames: readonly Buffer[], prefill?: Prefill, openDecoder = chat): Had {
  const transcript = had.transcript.fork();
  const tap = createContinuation({ ...settings(side, had), transcript, prefill, openDecoder }).tap({
    hideUsage: false,
  });
  for (const frame of frames) tap.frame(frame);
  expect(tap.error).toBeUndefined();
  const more = Buffer.concat([tap.rewriting!.take(), tap.finished ? tap.rewriting!.end() : Buffer.alloc(0)]);
  return { heard: had.heard + more.toString(), transcript };
}

function settings(side: Side, { heard, transcript }: Had): ContinuationSettings {
  const numbers = eventsIn(heard).map((event) => Number(event['sequence_number'] ?? 0));
  return {
    transcript,
    prefill: undefined,
    openDecoder: chat,
    encoder: side.encoder(),
    format: undefined,
    nextSequence: (numbers.at(-1) ?? 0) + 1,
    fallbackId: 'f',
    usageBefore: { inputTokens: 1, outputTokens: 1 },
    estimateUsage: (outputTokens) => ({ inputTokens: 1, outputTokens }),
  };
}

const chat: OpenStreamDecoder = (options) => new ChatStreamDecoder(options);

function eventsIn(heard: string): Event[] {
  return dataOf(heard).map((data) => JSON.parse(data) as Event);
}

/** What a whole answer says; throws where an event comes twice, in the wrong place, or not at all. */
function wordsOf(heard: string): string {
  const events = eventsIn(heard);
  const names = events.filter(({ type }) => !type.endsWith('delta')).map(nameOf);
  expect(names).toEqual([...new Set(names)]);
  const open = new Set<string>();
  for (const event of events) {
    const name = nameOf(event);
    const within = `${name.slice(0, name.lastIndexOf('.'))}.added`;
    if (/added|block_start /.test(name)) open.add(name.replace('_start', '_stop').replace('.added', '.done'));
    else if (/^content_block_stop|(?:item|part)\.done/.test(name))
      expect([name, open.delete(name)]).toEqual([name, true]);
    else if (event.type === 'content_block_delta') {
      expect([name, open.has(`content_block_stop ${JSON.stringify(event['index'])} `)]).toEqual([name, true]);
    } else if (event.type === 'response.output_text.delta') {
      const place = name.slice(event.type.length);
      expect([within, open.has(`response.content_part.done${place}`)]).toEqual([within, true]);
    }
  }
  expect([...open]).toEqual([]);
  const numbers = events.map((event) => event['sequence_number']).filter((number) => number !== undefined);
  expect(numbers).toEqual(numbers.map((_, index) => index));
  return events.map(wordIn).join('');
}

function nameOf(event: Event): string {
  const { type, index, output_index: item, content_index, summary_index } = event;
  return `${type} ${[index ?? item, content_index ?? summary_index].map((it) => JSON.stringify(it) ?? '').join(' ')}`;
}

function wordIn(event: Event): string {
  if (event.type === 'response.output_text.delta') return String(event['delta']);
  const delta = event['delta'];
  return typeof delta === 'object' && delta !== null && 'text' in delta ? String(delta.text) : '';
}

/** The whole response at the end, if there is one, has what the events say. */
function checkEnd(heard: string): void {
  const last = eventsIn(heard).at(-1);
  if (last?.type === 'message_stop') return;
  expect(last).toMatchObject({ type: 'response.completed' });
  const { output } = last!['response'] as { output: { id: string; content?: { text: string }[] }[] };
  const added = eventsIn(heard).filter(({ type }) => type === 'response.output_item.added');
  expect(output.map(({ id }) => id)).toEqual(added.map(({ item }) => (item as { id: string }).id));
  const texts = output.flatMap(({ content = [] }) => content.map((it) => it.text));
  expect(texts.join('')).toBe(text);
}

const repeats = chatFrames({ role: 'assistant', content: 'one' }, { content: ' two' });

describe.each(sides.flatMap((side) => Object.entries(side.streams).map(([name, events]) => ({ side, name, events }))))(
  '$side.id, $name',
  ({ side, events }) => {
    const frames = eventFrames(events);
    const cuts = frames.map((_, index) => frames.slice(0, index + 1));

    it('is gone on with by an answer that repeats it, wherever it is cut', () => {
      for (const cut of cuts) {
        const { heard } = goneOn(side, passedOn(side, cut), repeats);
        expect(wordsOf(heard)).toBe(text);
        checkEnd(heard);
      }
    });

    it('is gone on with from what there is of it', () => {
      for (const cut of cuts) {
        const had = passedOn(side, cut);
        const rest = text.slice(had.transcript.text.length);
        const { heard } = goneOn(side, had, chatFrames(...(rest === '' ? [] : [{ content: rest }])), 'exact');
        expect(wordsOf(heard)).toBe(text);
        checkEnd(heard);
      }
    });

    it('is gone on with once more where the next one is cut, too', () => {
      for (const cut of cuts) {
        for (let count = 0; count < repeats.length - 2; count++) {
          const second = goneOn(side, passedOn(side, cut), repeats.slice(0, count));
          const { heard } = goneOn(side, second, repeats);
          expect(wordsOf(heard)).toBe(text);
          checkEnd(heard);
        }
      }
    });
  },
);

describe('an answer that was translated', () => {
  it.each(sides)('is gone on with for $id', (side) => {
    const client = protocolOf(side.id).chat!;
    const frames = chatFrames({ role: 'assistant', reasoning_content: 'hm' }, { content: 'one' }, { content: ' two' });
    for (let count = 1; count < frames.length - 1; count++) {
      const transcript = new Transcript();
      const lane = {
        type: 'chat',
        operation: upstreamOperation('openai-chat'),
        client: { ...client, streamEncoder: side.encoder },
        upstream: openaiChatUpstream(),
      } as const;
      const tap = createChatAnswers(lane, context, transcript).tap({ hideUsage: false });
      for (const frame of frames.slice(0, count)) tap.frame(frame);
      const heard = tap.rewriting!.take().toString();
      const whole = goneOn(side, { heard, transcript }, repeats);
      expect(wordsOf(whole.heard)).toBe(text);
      checkEnd(whole.heard);
    }
  });
});

describe('an answer that goes on', () => {
  it('ends where it never would, also in what the client is not shown', () => {
    const side = sides[0]!;
    const had = passedOn(side, eventFrames(messages.slice(0, 6)));
    const thinking = chatFrames({ reasoning_content: 'y'.repeat(1024 * 1024) })[0]!;
    const guessed: number[] = [];
    const tap = createContinuation({
      ...settings(side, had),
      transcript: had.transcript.fork(),
      estimateUsage(outputTokens) {
        guessed.push(outputTokens);
        return { inputTokens: 1, outputTokens };
      },
    }).tap({ hideUsage: false });
    for (let count = 1; count <= 32; count++) expect([count, tap.frame(thinking)]).toEqual([count, 'content']);
    expect(tap.frame(thinking)).toBe('error');
    expect(tap.error).toMatchObject({ type: 'invalid', detail: 'the answer does not end' });
    expect(tap.usage?.outputTokens).toBe((32 * 1024 * 1024) / 4);
    expect(guessed).toHaveLength(1);
  });
});

describe('an answer of Responses', () => {
  it.each([
    { type: 'response.audio.delta', delta: 'QUJD' },
    { type: 'response.output_text.annotation.added', ...inMessage(0), annotation: {} },
    { type: 'response.output_item.added', output_index: 1, item: { id: 'ws', type: 'web_search_call' } },
    { type: 'response.output_item.added', output_index: 1, item: { ...reasoning, encrypted_content: 'x' } },
  ])('is not gone on with behind $type', (beside) => {
    const transcript = new Transcript();
    const { passThrough, openDecoder } = protocols['openai-responses'];
    const tap = recordAnswers(passThrough, openDecoder, transcript).tap({ hideUsage: false });
    for (const frame of eventFrames([...responseBegins, ...says(0, 'one').slice(0, 3)])) tap.frame(frame);
    expect(transcript).toMatchObject({ text: 'one', resumable: true });
    for (const frame of eventFrames([beside])) tap.frame(frame);
    expect(transcript.resumable).toBe(false);
  });

  it('has its items behind those of the answer that it goes on with', () => {
    const side = sides[1]!;
    const call = { id: 'fc_9', type: 'function_call', call_id: 'c', name: 'f', arguments: '' };
    const inCall = { item_id: 'fc_9', output_index: 2 };
    const second = eventFrames([
      ...responseBegins,
      ...reasons,
      ...says(1, 'one', ' two'),
      { type: 'response.output_item.added', output_index: 2, item: call },
      { type: 'response.function_call_arguments.delta', ...inCall, delta: '{}' },
      { type: 'response.function_call_arguments.done', ...inCall, arguments: '{}' },
      { type: 'response.output_item.done', output_index: 2, item: { ...call, arguments: '{}' } },
      { type: 'response.completed', response: { ...response, status: 'completed' } },
    ]);
    const first = eventFrames([...responseBegins, ...says(0, 'one')]).slice(0, 5);
    const { heard } = goneOn(side, passedOn(side, first), second, undefined, protocols['openai-responses'].openDecoder);
    expect(wordsOf(heard)).toBe(text);
    checkEnd(heard);
    const { output } = eventsIn(heard).at(-1)!['response'] as { output: object[] };
    expect(output).toMatchObject([{ id: 'msg_0' }, { type: 'function_call', call_id: 'c', arguments: '{}' }]);
  });
});
