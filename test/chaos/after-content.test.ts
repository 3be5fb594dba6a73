// Streams that are cut or stall at any byte after their first content: the official clients throw each time, and never take
// what they have for the whole answer.

import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { chatFrames, markedText, markerOf } from '../support/chat.ts';
import { ask, dataOf, official } from '../support/client.ts';
import { failover } from '../support/config.ts';
import { bytes, type Stop, stopAfter, streamHead } from '../support/scripts.ts';
import { openStage } from '../support/stage.ts';
import type { Script } from '../support/upstream.ts';
import { encodeChunk, lastChunk } from '../support/upstream-wire.ts';
import { crowd, oneOf, printTable, seededRandom, Tally } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const streams = sized({ usual: 300, full: 2000 });
const atOnce = 40;
const idleMs = 300;
const words = 12;
const random = seededRandom(7);
const stops: readonly Stop[] = ['end', 'reset', 'stall'];
const errorCodes = ['stream_truncated', 'stream_timeout'];

/** Sends frames in chunks of any size, and stops at a byte after the first content and before the end of the last frame but the marker. */
const cutSomewhere: Script = (exchange) => {
  const frames = chatFrames('cut', exchange.request, { words }).slice(0, words + 2);
  const wire = [streamHead(), ...frames.map(encodeChunk)];
  const lengthOf = (parts: readonly Buffer[]): number => parts.reduce((sum, part) => sum + part.length, 0);
  const contentEnds = lengthOf(wire.slice(0, 3));
  // Of the last frame at most the byte before its blank line: with it the answer would be whole.
  const finishEnds = lengthOf(wire) - '\n\n\r\n'.length;
  const at = contentEnds + Math.floor(random() * (finishEnds - contentEnds));
  const stop = oneOf(stops, random);
  stopped.add(stop);
  return stopAfter(at, stop, bytes(Buffer.concat([...wire, lastChunk])))(exchange);
};

const stopped = new Tally();

test(`of ${streams} streams that break after content none looks whole`, { timeout: timeoutMs(120) }, async () => {
  await using stage = await openStage(
    { a: cutSomewhere },
    {
      rule: { timeouts: { idleSeconds: idleMs / 1000 } },
      // Never disabled: every stream is to be one that breaks after content.
      failover: failover({ disable: { failures: 1, windowSeconds: 60, seconds: 0 } }),
    },
  );
  const clients = (['v7', 'v6'] as const).map((version) => official(version, `${stage.gateway.url}/v1`));
  const outcomes = new Tally();
  const codes = new Tally();
  const wrong: string[] = [];

  await crowd(streams, atOnce, async (number) => {
    const marker = `m${number}`;
    const client = clients[number % 3];
    const { seen, end } = client === undefined ? await readPlain(stage.chatURL, marker) : await readBy(client, marker);
    codes.add(end);
    const isPrefix = seen !== '' && markedText('cut', marker, words).startsWith(seen);
    const outcome = !isPrefix ? 'wrong content' : errorCodes.includes(end) ? 'explicit error' : 'looked whole';
    outcomes.add(outcome);
    if (outcome !== 'explicit error' && wrong.length < 5) wrong.push(`${marker}: ${end}, ${seen}`);
  });

  printTable('Streams that break after content', {
    streams: `${streams}, ${atOnce} at a time; by official clients (v6, v7) and by one that looks at the bytes`,
    stopped: String(stopped),
    outcomes: String(outcomes),
    'told as': String(codes),
    'with [DONE]': codes.of('[DONE]'),
  });
  expect(wrong).toEqual([]);
  expect(outcomes.of('explicit error')).toBe(streams);
  expect(stage.upstreams.a.requests.map(markerOf).length).toBe(streams);
  expect((await stage.gateway.state()).inFlight).toBe(0);
});

/** What a client has got when its stream ends, and how it ended. */
interface Seen {
  readonly seen: string;
  readonly end: string;
}

async function readBy(client: OpenAI, marker: string): Promise<Seen> {
  let seen = '';
  try {
    const stream = await client.chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: marker }],
      stream: true,
    });
    for await (const chunk of stream) seen += chunk.choices[0]?.delta.content ?? '';
    return { seen, end: 'a clean end' };
  } catch (error) {
    return { seen, end: String((error as { code?: unknown }).code) };
  }
}

async function readPlain(url: string, marker: string): Promise<Seen> {
  const body = { model: 'chat', messages: [{ role: 'user', content: marker }], stream: true };
  const { text, broken } = await ask(url, { body });
  const data = dataOf(text);
  if (data.includes('[DONE]')) return { seen: '', end: '[DONE]' };
  const parsed = data.map((it) => JSON.parse(it) as { choices?: OpenAI.ChatCompletionChunk.Choice[]; error?: Coded });
  const seen = parsed.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');
  const last = parsed.at(-1)?.error?.code;
  return { seen, end: broken ? 'a broken connection' : (last ?? 'a clean end') };
}

interface Coded {
  readonly code: string;
}
