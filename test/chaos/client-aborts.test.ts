// Clients that leave at any moment: their upstream requests end with them, and nothing of them is left.

import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { chat, chatRequest, markerOf } from '../support/chat.ts';
import { eventually } from '../support/eventually.ts';
import { stopAtOnce, streamHead } from '../support/scripts.ts';
import { openStage, type Stage } from '../support/stage.ts';
import type { Script } from '../support/upstream.ts';
import { encodeChunk } from '../support/upstream-wire.ts';
import { quantile } from '../integration/state/redis-fleet.ts';
import { crowd, oneOf, printTable, seededRandom, watchStalls } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const aborts = sized({ usual: 400, full: 2000 });
const warmUps = 300;
const atOnce = 10;
/** Of the 99th of a hundred. With `npm test` other tests have the cores too, and everything here is one process. */
const closedMaxMs = sized({ usual: 0, full: 1 }) > 0 ? 100 : 1000;
const heapGrowthMax = 5 * 1024 * 1024;
const random = seededRandom(11);

/** Where a request is when its client leaves. */
type Phase =
  | 'sending'
  | 'connecting'
  | 'waiting for a head'
  | 'waiting for content'
  | 'in a stream'
  | 'not reading'
  | 'any';

const phases: readonly Phase[] = [
  'sending',
  'connecting',
  'waiting for a head',
  'waiting for content',
  'in a stream',
  'any',
];

function frameOf(content: string): Buffer {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return encodeChunk(`data: ${JSON.stringify({ choices })}\n\n`);
}

const word = frameOf('word ');
/** Large frames: to fill a client's buffers is to cost next to nothing, or it would be the load that is measured. */
const much = frameOf('word '.repeat(20_000));

/** Goes on until the connection is closed. */
function endless(chunk: Buffer, gapMs: number): Script {
  return async (exchange) => {
    let open = true;
    void exchange.closed.then(() => (open = false));
    await exchange.send(Buffer.concat([streamHead(), word]));
    while (open) {
      await exchange.send(chunk);
      await exchange.wait(gapMs);
    }
  };
}

const scriptOf: Readonly<Record<Phase, Script>> = {
  sending: chat('a'),
  connecting: stopAtOnce('stall'),
  'waiting for a head': stopAtOnce('stall'),
  'waiting for content': chat('a', { firstAfterMs: 60_000 }),
  'in a stream': endless(word, 3),
  'not reading': endless(much, 2),
  any: chat('a', { gapMs: 2, firstAfterMs: 10, words: 20 }),
};

interface Left {
  readonly marker: string;
  readonly phase: Phase;
  readonly leftAtMs: number;
}

test(`${aborts} clients that leave take everything with them`, { timeout: timeoutMs(180) }, async () => {
  const rejections: unknown[] = [];
  const noteRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', noteRejection);
  await using stage = await openStage({
    a: (exchange) => scriptOf[markerOf(exchange.request).split('/')[0] as Phase](exchange),
  });
  const { a } = stage.upstreams;

  await leaveAll(stage, warmUps, 'warm');
  const socketsBefore = await calm(stage);
  const heapBefore = heapAfterCollection();
  const heaps: number[] = [];
  const closedAfterMs = new Map([...phases, 'not reading' as const].map((phase): [Phase, number[]] => [phase, []]));
  const rounds = 10;
  const stallOf = watchStalls();
  for (let round = 0; round < rounds; round += 1) {
    const left = await leaveAll(stage, Math.round(aborts / rounds), `round ${round}`);
    await calm(stage);
    const closedAt = new Map(a.requests.map((request) => [markerOf(request), request.closedAtMs]));
    for (const { marker, phase, leftAtMs } of left) {
      const closedAtMs = closedAt.get(marker);
      if (closedAtMs !== undefined && closedAtMs > leftAtMs) closedAfterMs.get(phase)?.push(closedAtMs - leftAtMs);
    }
    a.forget();
    heaps.push(heapAfterCollection());
  }
  const socketsAfter = await calm(stage);
  process.off('unhandledRejection', noteRejection);

  const megabytes = (size: number): string => (size / 1024 / 1024).toFixed(1);
  const growth = (heaps.at(-1) ?? 0) - heapBefore;
  const lateGrowth = (heaps.at(-1) ?? 0) - (heaps[rounds / 2 - 1] ?? 0);
  const all = [...closedAfterMs.values()].flat();
  const p99 = quantile(all, 0.99);
  // A turn of the loop in which everything stood still, clients and upstreams too, is not the proxy's.
  const stallMs = stallOf();
  printTable('Clients that leave', {
    aborts: `${aborts}, ${atOnce} at a time; ${all.length} had reached the upstream`,
    'upstream closed after': describeTimes(all),
    ...Object.fromEntries([...closedAfterMs].map(([phase, times]) => [`  ${phase}`, describeTimes(times)])),
    'sockets of the process': `${socketsBefore} before, ${socketsAfter} after`,
    heap: `${megabytes(heapBefore)} MB before; ${heaps.map(megabytes).join(', ')}; growth ${megabytes(growth)} MB, in the second half ${megabytes(lateGrowth)} MB`,
    'unhandled rejections': rejections.length,
  });
  expect(rejections).toEqual([]);
  expect(all.length).toBeGreaterThan(aborts / 3);
  expect(p99).toBeLessThan(closedMaxMs + stallMs);
  expect(socketsAfter).toBeLessThanOrEqual(socketsBefore);
  expect(growth).toBeLessThan(heapGrowthMax);
  expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', inFlight: 0 });
});

function describeTimes(times: readonly number[]): string {
  if (times.length === 0) return 'none of them had reached it';
  const at = (share: number): string => quantile(times, share).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${times.length}`;
}

async function leaveAll(stage: Stage<'a'>, count: number, name: string): Promise<Left[]> {
  const left: Left[] = [];
  await crowd(count, atOnce, async (number) => {
    // Filling the buffers of one that does not read takes megabytes: with many of them that load would be what is measured.
    const phase = random() < 0.03 ? 'not reading' : oneOf(phases, random);
    const marker = `${phase}/${name}/${number}`;
    left.push({ marker, phase, leftAtMs: await leave(stage, phase, marker) });
  });
  return left;
}

/** Sends a request and leaves; resolves to the time of leaving. */
async function leave(stage: Stage<'a'>, phase: Phase, marker: string): Promise<number> {
  const body = JSON.stringify(chatRequest(marker, { stream: true }));
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const outgoing = httpRequest(stage.chatURL, { method: 'POST', headers, agent: false });
  outgoing.on('error', () => undefined);
  const answered = new Promise<void>((resolve) => {
    outgoing.on('response', (response) => {
      response.on('error', () => undefined);
      if (phase === 'not reading') response.pause();
      else response.resume();
      resolve();
    });
    outgoing.on('close', resolve);
  });
  outgoing.write(body.slice(0, 10));
  if (phase === 'sending') await delay(random() * 10);
  else outgoing.end(body.slice(10));
  if (phase === 'connecting') await delay(random() * 3);
  if (phase === 'any') await delay(random() * 80);
  if (phase === 'waiting for a head' || phase === 'waiting for content') await delay(20 + random() * 20);
  if (phase === 'in a stream' || phase === 'not reading') {
    await answered;
    await delay(random() * 30);
  }
  const leftAtMs = performance.now();
  outgoing.destroy();
  return leftAtMs;
}

/** Waits until no request is under way, and counts the sockets that are left. */
async function calm(stage: Stage<'a'>): Promise<number> {
  await eventually(async () => (await stage.gateway.state()).inFlight === 0);
  stage.upstreams.a.closeIdleConnections();
  await eventually(() => stage.upstreams.a.connections === 0);
  await delay(50);
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

function heapAfterCollection(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
