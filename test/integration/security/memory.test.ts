// Rows 21 and 22: whatever a client or an upstream sends, and however slowly the other side takes it, a gateway's memory
// stays where it is. Measured on a process of its own; everything heavier scales with CHAOS_SCALE.

import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized, timeoutMs } from '../../chaos/scale.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';
import { provider, route } from '../../deploy/manifests.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { streamHead } from '../../support/scripts.ts';
import { type Script, type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { encodeChunk, encodeHead } from '../../support/upstream-wire.ts';
import { report } from '../state/redis-fleet.ts';
import { type Program, startProgram } from '../standalone/program.ts';

const megabyte = 1024 * 1024;
/** What a garbage collector leaves lying around while it is busy; each of the cases would take many times that. */
const grownMegabytesMax = 200;
const readMs = sized({ usual: 700, full: 5000 });

let upstream: ScriptedUpstream;
let folder: Folder;
let program: Program;
let port = 0;

beforeAll(async () => {
  upstream = await startUpstream(chat('a'));
  // Nothing is ever disabled: every case finds its backend.
  const failover = ', failover: {disable: {seconds: 0}}}]';
  const routed = route('chat', 'p').replace('model: some-model}]}]', `model: some-model}]${failover}`);
  folder = makeFolder({ 'a.yaml': provider('p', { url: upstream.baseURL }) + routed });
  program = startProgram(['run', folder.path, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);
  const [, url = ''] = await program.says(/requests +(\S+)\n/);
  port = Number(new URL(url).port);
  await ask(JSON.stringify(chatRequest('warm')), { forMs: 500 });
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function residentMegabytes(): Promise<number> {
  const status = await readFile(`/proc/${program.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Megabytes by which the process grows at most while something happens, and what came of it. */
async function grown<T>(
  what: string,
  happen: () => Promise<T>,
): Promise<{ readonly most: number; readonly result: T }> {
  const before = await residentMegabytes();
  let most = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await residentMegabytes());
      await delay(10);
    }
  })();
  const result = await happen();
  isOver = true;
  await watching;
  report(`${what}, MB`, { grown: most - before });
  return { most: most - before, result };
}

interface Got {
  readonly status: number;
  readonly bytes: number;
}

/** Sends bytes, and reads for so long, or not at all. */
async function send(parts: Iterable<string | Buffer>, { forMs = readMs, reads = true } = {}): Promise<Got> {
  const socket = connect(port, '127.0.0.1');
  let bytes = 0;
  let head = '';
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  if (reads) {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (head.length < 100) head += chunk.toString('latin1', 0, 100);
    });
  } else {
    socket.pause();
  }
  for (const part of parts) {
    if (socket.destroyed) break;
    if (!socket.write(part)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
  await Promise.race([closed, delay(forMs)]);
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), bytes };
}

const post =
  'POST /chat/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n';

function ask(body: string, options: { readonly forMs?: number; readonly reads?: boolean } = {}): Promise<Got> {
  return send([`${post}Content-Length: ${body.length}\r\n\r\n${body}`], options);
}

/** Sends the same over and over, as long as it is taken. */
function repeating(head: Buffer, piece: Buffer, times = Infinity): Script {
  return async (exchange) => {
    let open = true;
    void exchange.closed.then(() => (open = false));
    await exchange.send(head);
    for (let time = 0; time < times && open; time += 1) {
      await exchange.send(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await exchange.closed;
  };
}

/** Gzip that says so many gigabytes in a thousandth of that. */
function bomb(text: string): Buffer {
  const member = gzipSync(Buffer.alloc(64 * megabyte, text));
  return Buffer.concat(Array.from({ length: sized({ usual: 32, full: 160 }) }, () => member));
}

/** Every byte a chunk of its own. */
function crumbs(bytes: Buffer): Buffer {
  return Buffer.concat([...bytes].map((byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a])));
}

const json = { 'content-type': 'application/json' };
const chunked = { ...json, 'transfer-encoding': 'chunked' };
const crumb = crumbs(Buffer.alloc(10_000, 'x'));

test('a body in chunks of a byte each', { timeout: timeoutMs(60) }, async () => {
  const parts = [`${post}Transfer-Encoding: chunked\r\n\r\n`, ...Array.from({ length: 400 }, () => crumb)];
  const { most, result } = await grown('a body of 4 MB in single bytes', () => send(parts, { forMs: 5000 }));
  expect(result.status).toBe(400);
  expect(most).toBeLessThan(grownMegabytesMax);
});

test('compressed bodies that are a thousand times as large', { timeout: timeoutMs(60) }, async () => {
  const body = bomb('x');
  const head = `${post}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { most, result } = await grown('a bomb in a request', () => send([head, body], { forMs: 5000 }));
  expect(result.status).toBe(413);
  expect(most).toBeLessThan(grownMegabytesMax);
});

const gigabyte = sized({ usual: 256, full: 1024 }) * megabyte;
const whole = encodeHead(200, { ...json, 'content-length': String(gigabyte) });
const frame = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(60_000) }, finish_reason: null }] })}\n\n`;
const eventGzip = { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' };
const frames = gzipSync(Buffer.from(frame.repeat(1000)));

const answers: readonly (readonly [name: string, stream: boolean, script: () => Script])[] = [
  ['an answer of a gigabyte', false, () => repeating(whole, Buffer.alloc(megabyte, 'x'), gigabyte / megabyte)],
  ['a stream without end', true, () => repeating(streamHead(), encodeChunk(frame))],
  [
    'an answer that unfolds to gigabytes',
    false,
    () => repeating(encodeHead(200, { ...json, 'content-encoding': 'gzip' }, '1.0'), bomb('x'), 1),
  ],
  ['a stream that unfolds to gigabytes', true, () => repeating(encodeHead(200, eventGzip, '1.0'), frames)],
];

test.each(answers)(
  '%s, for a client that reads and for one that does not',
  { timeout: timeoutMs(60) },
  async (...of) => {
    const [name, stream, script] = of;
    upstream.script = script();
    const body = JSON.stringify(chatRequest('one', { stream }));
    const slow = await grown(`${name}, not read`, () => ask(body, { reads: false }));
    expect(slow.most).toBeLessThan(grownMegabytesMax);
    const quick = await grown(`${name}, read`, () => ask(body));
    expect(quick.most).toBeLessThan(grownMegabytesMax);
    expect(quick.result).toMatchObject({ status: 200 });
    expect(quick.result.bytes).toBeGreaterThan(9 * megabyte);
  },
);

const bytewise: readonly (readonly [name: string, stream: boolean, script: () => Script])[] = [
  ['an answer', false, () => repeating(encodeHead(200, chunked), crumb, 300)],
  ['a line of a stream', true, () => repeating(Buffer.concat([streamHead(), encodeChunk('data: ')]), crumb, 95)],
  [
    'an answer that is compressed',
    false,
    () => {
      const encoded = gzipSync(Buffer.alloc(megabyte, 'ab'), { level: 0 });
      return repeating(encodeHead(200, { ...chunked, 'content-encoding': 'gzip' }), crumbs(encoded), 1);
    },
  ],
];

test.each(bytewise)('%s in chunks of a byte each', { timeout: timeoutMs(60) }, async (...of) => {
  const [name, stream, script] = of;
  upstream.script = script();
  const body = JSON.stringify(chatRequest('one', { stream }));
  const { most } = await grown(`${name} in single bytes`, () => ask(body, { forMs: readMs + 300 }));
  expect(most).toBeLessThan(grownMegabytesMax);
});

test('and goes on serving', async () => {
  upstream.script = chat('a');
  expect(await ask(JSON.stringify(chatRequest('one')), { forMs: 2000 })).toMatchObject({ status: 200 });
});
