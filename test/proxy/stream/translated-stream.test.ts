import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureSignal } from '../../../proxy/canonical/failure.ts';
import { createChatAnswers } from '../../../proxy/protocols/lane-chat.ts';
import type { ChatLane } from '../../../proxy/protocols/lane.ts';
import { upstreamOperation } from '../../../proxy/protocols/operations.ts';
import type { StreamEncoder, StreamTap } from '../../../proxy/protocols/protocol.ts';
import { protocols } from '../../../proxy/protocols/registry.ts';
import { createUpstreamCodecs } from '../../../proxy/protocols/upstream-codecs.ts';
import { serverSentEvents } from '../../../proxy/stream/sse-frames.ts';
import { StreamReader } from '../../../proxy/stream/stream-reader.ts';
import { AnswerRig, timeouts } from './answer-rig.ts';
import {
  chunkFrame,
  commentFrame,
  contentFrame,
  cutAt,
  doneFrame,
  finishFrame,
  roleFrame,
  usageFrame,
} from './frames.ts';

const upstream = createUpstreamCodecs().chat({ protocol: 'openai-chat', dialect: 'mistral' })!;
const context = { requestId: 'r1', model: 'm', createdAt: 1, wantsUsage: true };
const lane: ChatLane = {
  type: 'chat',
  operation: upstreamOperation('openai-chat'),
  client: protocols['openai-chat'].chat,
  upstream,
};

function openReader(of: ChatLane = lane): { readonly reader: StreamReader; readonly tap: StreamTap } {
  const tap = createChatAnswers(of, context).tap({ hideUsage: false });
  const reader = new StreamReader(tap, { format: serverSentEvents, headers: {}, onMalformed: () => undefined });
  return { reader, tap };
}

interface Reading {
  readonly text: string;
  readonly content: boolean;
  readonly shown: boolean;
  readonly failure: FailureSignal | undefined;
}

/** What the client gets of a stream, up to its end or the first failure. */
function readAll(chunks: readonly Buffer[]): Reading {
  const { reader } = openReader();
  const bytes: Buffer[] = [];
  let content = false;
  let shown = false;
  for (const chunk of [...chunks, undefined]) {
    const passage = chunk === undefined ? reader.end('the end') : reader.read(chunk);
    bytes.push(...passage.bytes);
    content ||= passage.content;
    shown ||= passage.shown;
    const { failure } = passage;
    if (failure !== undefined || chunk === undefined) {
      return { text: Buffer.concat(bytes).toString(), content, shown, failure };
    }
  }
  throw new Error('a stream has an end');
}

function delta(members: object): string {
  return chunkFrame({ choices: [{ index: 0, delta: members, finish_reason: null }] });
}

/** Without the character that stands for bytes that are none. */
const text = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }).filter((value) => !value.includes('\u{fffd}'));
const frame = fc.oneof(
  text.map(contentFrame as (text: string) => string),
  text.map((value) => delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: value }] }] })),
  text.map((value) => delta({ content: [{ type: 'text', text: value }] })),
  fc
    .tuple(fc.nat({ max: 2 }), fc.boolean())
    .map(([index, begins]) =>
      delta({ tool_calls: [{ index, ...(begins && { id: `id${index}` }), function: { name: 'f', arguments: ' ' } }] }),
    ),
  fc.constantFrom(roleFrame, commentFrame, usageFrame, roleFrame.replaceAll('\n', '\r\n'), 'event: ping\n\n'),
);
const end = fc.constantFrom('', finishFrame, finishFrame + doneFrame, finishFrame + usageFrame + doneFrame);

describe('reading a stream for a client of another protocol', () => {
  it('gives the client the same bytes, and comes to the same end, however the upstream’s are cut', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), end, cuts, (frames, last, positions) => {
        const bytes = Buffer.from(frames.join('') + last);
        const whole = readAll([bytes]);
        expect(readAll(cutAt(bytes, positions))).toEqual(whole);
        expect(readAll(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(whole);
        expect(whole.text).not.toContain('\u{fffd}');
        expect(whole.failure === undefined).toBe(last !== '');
        // A stream that is complete says so, one that is not never does.
        expect(whole.text.includes('[DONE]')).toBe(last !== '');
      }),
      { numRuns: 300 },
    );
  });

  it('gives one piece of bytes for all frames of a chunk', () => {
    const { reader } = openReader();
    const { bytes, content, shown } = reader.read(Buffer.from(roleFrame + contentFrame('a') + contentFrame('b')));
    expect([bytes.length, content, shown]).toEqual([1, true, true]);
  });

  it('ends with an error, and not with the marker, where only the end shows that something is missing', () => {
    const call = delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }] });
    const { text: got, failure } = readAll([Buffer.from(roleFrame + call + finishFrame)]);
    expect(failure).toMatchObject({ type: 'invalid' });
    expect(got).not.toContain('[DONE]');
    expect(readAll([Buffer.from(roleFrame + call + finishFrame + doneFrame)]).failure).toEqual(failure);
  });
});

/** A protocol that has no words for fragments: it says everything at the end. */
class LateEncoder implements StreamEncoder {
  readonly nextSequence = 41;
  #texts = '';

  encode(part: Parameters<StreamEncoder['encode']>[0]): Buffer {
    if (part.type === 'delta') this.#texts += part.text;
    return Buffer.from(part.type === 'finish' ? `${this.#texts}\n` : '');
  }
}

const late: ChatLane = { ...lane, client: { ...lane.client, streamEncoder: () => new LateEncoder() } };

describe('a protocol that holds content back', () => {
  it('is not committed to an answer of which it has shown nothing, though the answer is alive', async () => {
    const rig = new AnswerRig({ protocol: createChatAnswers(late, context) });
    rig.head().data(roleFrame + contentFrame('a'));
    await rig.follow();
    expect(rig.outcome).toBeUndefined();
    // Content has come: silence counts as silence, and no longer as waiting for the first of it.
    rig.clock.turn(timeouts.idleMs - 1);
    rig.data(contentFrame('b'));
    rig.clock.turn(timeouts.idleMs - 1);
    await rig.follow();
    expect(rig.outcome).toBeUndefined();
    rig.data(finishFrame + doneFrame).end();
    await rig.follow();
    expect([rig.outcome?.type, rig.received, rig.ended]).toEqual(['committed', 'ab\n', 'end']);
  });

  it('can still have the request go elsewhere when it breaks', async () => {
    const rig = new AnswerRig({ protocol: createChatAnswers(late, context) });
    rig.head().data(contentFrame('a')).reset();
    await rig.follow();
    expect(rig.outcome).toMatchObject({ type: 'failed', signal: { type: 'truncated' } });
  });

  it('numbers what is said to the client itself', () => {
    expect(openReader(late).tap.nextSequence).toBe(41);
    expect(openReader().tap.nextSequence).toBe(0);
  });
});

describe('an answer that is not a stream', () => {
  const body = { choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] };

  it('is held until it is whole, however large it is, because nothing of it can be passed on before', async () => {
    const large = { ...body, pad: 'x'.repeat(9 * 1024 * 1024) };
    const rig = new AnswerRig({ protocol: createChatAnswers(lane, context), stream: false });
    const bytes = Buffer.from(JSON.stringify(large));
    rig.json().data(bytes.subarray(0, -10));
    await rig.follow();
    expect(rig.outcome).toBeUndefined();
    rig.data(bytes.subarray(-10)).end();
    await rig.follow();
    expect(JSON.parse(rig.received)).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop' }] });
  });

  it('is not held for ever', async () => {
    const rig = new AnswerRig({ protocol: createChatAnswers(lane, context), stream: false }).json();
    const chunk = Buffer.alloc(8 * 1024 * 1024, ' ');
    for (let index = 0; index <= 8; index += 1) rig.data(chunk);
    await rig.follow();
    expect(rig.outcome).toMatchObject({ type: 'failed', signal: { type: 'invalid' } });
    expect(rig.orders).toEqual(['abort']);
  });
});
