// How many writes an answer costs: each is a system call, and with TCP_NODELAY a segment.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Exchange } from '../../../proxy/ingress/exchange.ts';
import { openRaw, startRig } from './rig.ts';

/** Node's own handle of a socket: every write of its ends in one of these. */
const writers = ['writev', 'writeBuffer', 'writeLatin1String', 'writeUtf8String', 'writeAsciiString'] as const;
type Handle = Record<(typeof writers)[number], (...values: unknown[]) => unknown>;

let writes = 0;

function countWrites(message: unknown): void {
  const { _handle: handle } = (message as { socket: { _handle: Handle } }).socket;
  for (const name of writers) {
    const write = handle[name].bind(handle);
    handle[name] = (...values) => {
      writes += 1;
      return write(...values);
    };
  }
}

beforeEach(() => subscribe('net.server.socket', countWrites));
afterEach(() => unsubscribe('net.server.socket', countWrites));

/** Sends one request and says how many writes its answer took. */
async function writesOf(handler: (exchange: Exchange) => Promise<void>, end: RegExp): Promise<number> {
  await using rig = await startRig(handler);
  await using client = await openRaw(rig.port);
  writes = 0;
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}');
  const text = await client.until(end);
  expect(text).toMatch(/^HTTP\/1\.1 200/);
  return writes;
}

test.each([0, 10, 8 * 1024, 8 * 1024 + 1, 60_000])('a whole answer with %i bytes is one write', async (size) => {
  const body = Buffer.alloc(size, 'x');
  expect(await writesOf(async (exchange) => exchange.reply(200, { 'content-type': 'a/b' }, body), /\r\n\r\n/)).toBe(1);
});

test('the head of a stream leaves in one write with the first chunk', async () => {
  const handler = async (exchange: Exchange) => {
    const stream = exchange.stream(200, {});
    await delay(20);
    stream.write(Buffer.from('first'));
    await delay(50);
    stream.end();
  };
  expect(await writesOf(handler, /first\r\n$/)).toBe(1);
});

test('every later chunk is one write, and the end one more or none', async () => {
  const handler = async (exchange: Exchange) => {
    const stream = exchange.stream(200, {});
    for (let count = 0; count < 10; count += 1) {
      stream.write(Buffer.alloc(count % 2 === 0 ? 100 : 40_000, 'x'));
      await delay(2);
    }
    stream.end(Buffer.from('last'));
  };
  expect(await writesOf(handler, /last\r\n0\r\n\r\n$/)).toBe(11);
});
