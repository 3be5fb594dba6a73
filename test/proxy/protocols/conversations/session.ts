// A conversation between a client and a vendor with the codecs in between: round by round, each request with all that was
// said before in the client's own form. What one side says the other has to hear, and nothing else.

import { deepStrictEqual } from 'node:assert/strict';
import { createChatAnswers } from '../../../../proxy/protocols/lane-chat.ts';
import type { ClientCodec } from '../../../../proxy/protocols/protocol.ts';
import { protocolOf } from '../../../../proxy/protocols/registry.ts';
import { serverSentEvents } from '../../../../proxy/stream/sse-frames.ts';
import { bytesOf, type Json, said, type SaidCall } from '../../../support/vendors/vendor.ts';
import type { Answer, ClientWire, Round } from './client-wire.ts';
import { requestTo, type Upstream } from './upstreams.ts';

/** What is said in one round: the user asks, the model answers, its calls have results. */
export interface PlannedRound {
  readonly user: string;
  readonly thinking: string;
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly input: Json; readonly result: string }[];
}

/** What is said, and how its bytes come. */
export interface Conversation {
  readonly system: string;
  readonly rounds: readonly PlannedRound[];
  readonly stream: boolean;
  /** Bytes of an answer that come together. */
  readonly chunkBytes: number;
}

/** The names of all tools. */
export const toolNames = ['weather', 'time', 'look_up'] as const;

/** Holds a conversation. Throws where anything is lost. */
export function hold(
  { system, rounds, stream, chunkBytes }: Conversation,
  client: ClientWire,
  upstream: Upstream,
): void {
  const past: Round[] = [];
  const saidBefore: SaidCall[] = [];
  let user = '';
  let number = 0;
  for (const planned of rounds) {
    user = planned.user;
    const calls = planned.calls.map(({ name, input }) => ({ id: upstream.callId(++number), name, input }));
    const what = { thinking: planned.thinking, text: planned.text, ...(calls.length > 0 && { calls }) };
    const asked = [...past, { user, answer: undefined, results: [] }];
    const answer = converse(client.write(system, asked, toolNames, stream), what, {
      client,
      upstream,
      stream,
      chunkBytes,
    });
    hears(answer.heard, system, asked, saidBefore, upstream);
    tells(answer.told, what);
    past.push({ user, answer: answer.told, results: planned.calls.map(({ result }) => result) });
    saidBefore.push(...calls);
  }
}

interface Way {
  readonly client: ClientWire;
  readonly upstream: Upstream;
  readonly stream: boolean;
  readonly chunkBytes: number;
}

type What = Parameters<Upstream['vendor']['whole']>[0];

function converse(
  request: Json,
  what: What,
  { client, upstream, stream, chunkBytes }: Way,
): { readonly heard: ReturnType<Upstream['vendor']['hear']>; readonly told: Answer } {
  const codec = codecOf(client, upstream);
  const decoded = codec.decodeRequest(Buffer.from(JSON.stringify(request)));
  const { vendor } = upstream;
  const { body } = upstream.codec.encodeRequest({ ...decoded, model: vendor.model });
  const received = requestTo(upstream, body, stream);
  const heard = vendor.hear(received);
  const lane = {
    type: 'chat',
    operation: { protocol: 'relay', path: '' },
    client: codec,
    upstream: upstream.codec,
  } as const;
  const context = { requestId: 'r1', model: 'm', createdAt: 1, wantsUsage: true, request: decoded };
  const answers = createChatAnswers(lane, context);
  if (!stream) {
    const { body: written, signal } = answers.readAnswer(Buffer.from(JSON.stringify(vendor.whole(what, received))));
    deepStrictEqual(signal, undefined);
    return { heard, told: client.readWhole(JSON.parse(String(written)) as Json) };
  }
  const splitter = (upstream.codec.streamFormat ?? serverSentEvents).createSplitter();
  const tap = answers.tap({ hideUsage: false });
  const bytes = bytesOf(vendor.frames(what, received));
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const frame of splitter.push(bytes.subarray(at, at + chunkBytes))) {
      tap.frame(frame);
      pieces.push(tap.rewriting!.take());
    }
  }
  pieces.push(tap.rewriting!.end());
  deepStrictEqual([tap.error, tap.finished], [undefined, true]);
  return { heard, told: client.readStream(Buffer.concat(pieces).toString()) };
}

function codecOf({ protocol }: ClientWire, { vendor }: Upstream): ClientCodec {
  const { chat, ownChat } = protocolOf(protocol);
  const isOwn = protocol === 'anthropic-messages' && vendor.type === 'Anthropic';
  const codec = isOwn ? ownChat : chat;
  if (codec === undefined) throw new Error(`${protocol} does not chat`);
  return codec;
}

/** What the vendor hears is what the client said, and what the vendor itself had said before. */
function hears(
  heard: ReturnType<Upstream['vendor']['hear']>,
  system: string,
  asked: readonly Round[],
  saidBefore: readonly SaidCall[],
  { hearsIds }: Upstream,
): void {
  deepStrictEqual(heard.system, system);
  deepStrictEqual(heard.user.join(''), asked.map((round) => round.user).join(''));
  deepStrictEqual(heard.tools, toolNames);
  deepStrictEqual(heard.calls.map(bare), saidBefore.map(bare));
  if (hearsIds) deepStrictEqual(heard.calls.map(idOf), saidBefore.map(idOf));
  const results = asked.flatMap((round) => round.results);
  deepStrictEqual(
    heard.results,
    results.map((text, index) => ({ id: heard.calls[index]?.id, text })),
  );
}

/** What the client is told is what the vendor said. */
function tells(told: Answer, { text = '', calls = [] }: What): void {
  deepStrictEqual(told.text, text);
  deepStrictEqual(told.calls.map(bare), calls.map(bare));
  deepStrictEqual(told.calling, calls.length > 0);
  deepStrictEqual(told.usage, said);
  deepStrictEqual(new Set(told.calls.map(idOf)).size, calls.length);
}

function bare({ name, input }: SaidCall): object {
  return { name, input };
}

function idOf({ id }: SaidCall): string {
  return id;
}
