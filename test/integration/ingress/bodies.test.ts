// Limits of request heads and bodies: sizes, all bodies together, and compressed ones.

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Exchange } from '../../../proxy/ingress/exchange.ts';
import { eventually } from '../../support/eventually.ts';
import { openRaw, sendRaw, signalled, startRig } from './rig.ts';

const post = 'POST /v1/x HTTP/1.1\r\nHost: a\r\n';
const mebibyte = 1024 * 1024;

/** Answers with the length of the body. */
async function measure(exchange: Exchange): Promise<void> {
  exchange.reply(200, {}, Buffer.from(`length ${exchange.body.length}`));
}

async function gzipPost(url: string, body: Buffer<ArrayBuffer>, encoding = 'gzip'): Promise<Response> {
  return await fetch(url, { method: 'POST', body, headers: { 'content-encoding': encoding } });
}

test('a body of 32 MiB is taken, sent with its length or in chunks', async () => {
  await using rig = await startRig(measure);
  const body = Buffer.alloc(32 * mebibyte, 'x');
  const whole = await fetch(rig.url, { method: 'POST', body });
  expect(await whole.text()).toBe(`length ${32 * mebibyte}`);
  const stream: RequestInit & { duplex: 'half' } = { method: 'POST', body: new Blob([body]).stream(), duplex: 'half' };
  const chunked = await fetch(rig.url, stream);
  expect(await chunked.text()).toBe(`length ${32 * mebibyte}`);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('a longer body is a 413 that names the path, and the client that still sends it gets to read that', async () => {
  await using rig = await startRig(measure, { bodyBytesMax: 1000 });
  for (const framing of ['Content-Length: 5000000', 'Transfer-Encoding: chunked']) {
    await using client = await openRaw(rig.port);
    client.write(`${post}${framing}\r\nX-Request-Id: mine\r\n\r\n`);
    if (framing.startsWith('T')) client.write('4c4b40\r\n');
    for (let sent = 0; sent < 50; sent += 1) client.write(Buffer.alloc(100_000));
    const answer = await client.closed();
    expect(answer.statuses).toEqual([413]);
    expect(answer.text).toMatch(/"code":"request_too_large".*"path":"\/v1\/x"/);
    expect(answer.text).toMatch(/^x-request-id: mine\r$/m);
  }
  expect(rig.exchanges).toHaveLength(0);
  await eventually(() => rig.ingress.connections() === 0);
  expect(rig.ingress.bodyBytesHeld()).toBe(0);
});

test('an SDK that sends too long a body sees the 413', async () => {
  await using rig = await startRig(measure, { bodyBytesMax: 1000 });
  const response = await fetch(rig.url, { method: 'POST', body: Buffer.alloc(3 * mebibyte) });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error: { code: 'request_too_large' } });
});

test('a refused client that never stops sending is cut after the linger time', async () => {
  await using rig = await startRig(measure, { bodyBytesMax: 1000, lingerMs: 100 });
  await using client = await openRaw(rig.port, { half: true });
  client.write(`${post}Content-Length: 5000000\r\n\r\n`);
  await client.until(/413/);
  const timer = setInterval(() => client.write('x'), 5);
  await eventually(() => client.socket.destroyed, 2000);
  clearInterval(timer);
});

test('more body bytes in all than may be held are a 503 with Retry-After, until they are given back', async () => {
  const release = signalled();
  const limits = { bodyBytesHeldMax: 2500 };
  await using rig = await startRig(async (exchange) => {
    if (exchange.path === '/wait') await release.promise;
    await measure(exchange);
  }, limits);
  const waiting = [1, 2].map(() => fetch(`${rig.url}/wait`, { method: 'POST', body: 'x'.repeat(1000) }));
  await eventually(() => rig.exchanges.length === 2);
  expect(rig.ingress.bodyBytesHeld()).toBe(2000);
  const refused = await fetch(rig.url, { method: 'POST', body: 'x'.repeat(1000) });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(refused.headers.get('x-sluice-error')).toBe('overloaded');
  expect((await fetch(rig.url, { method: 'POST', body: 'x'.repeat(400) })).status).toBe(200);
  release.resolve();
  for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
  expect((await fetch(rig.url, { method: 'POST', body: 'x'.repeat(2500) })).status).toBe(200);
});

test('what a handler holds besides the body counts too, as long as the answer is not complete', async () => {
  const release = signalled();
  const taken: boolean[] = [];
  await using rig = await startRig(
    async (exchange) => {
      taken.push(exchange.hold(1000), exchange.hold(1000));
      await release.promise;
      await measure(exchange);
      taken.push(exchange.hold(0));
    },
    { bodyBytesHeldMax: 1500 },
  );
  const asking = fetch(rig.url, { method: 'POST', body: 'x'.repeat(100) });
  await eventually(() => taken.length === 2);
  expect(taken).toEqual([true, false]);
  expect(rig.ingress.bodyBytesHeld()).toBe(1100);
  release.resolve();
  expect((await asking).status).toBe(200);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('announcing bodies holds nothing: only bytes that came count', async () => {
  await using rig = await startRig(measure, { bodyBytesHeldMax: 40_000_000 });
  await using first = await openRaw(rig.port);
  await using second = await openRaw(rig.port);
  for (const client of [first, second]) client.write(`${post}Content-Length: 30000000\r\n\r\nx`);
  await eventually(() => rig.ingress.bodyBytesHeld() === 2);
  first.socket.destroy();
  second.socket.destroy();
  await eventually(() => rig.ingress.bodyBytesHeld() === 0 && rig.ingress.inFlight() === 0);
});

test('the bytes of a body stay what they were while later requests are read', async () => {
  const release = signalled();
  await using rig = await startRig(async (exchange) => {
    if (exchange.path === '/first') await release.promise;
    exchange.reply(200, {}, exchange.body);
  });
  const first = fetch(`${rig.url}/first`, { method: 'POST', body: 'first'.repeat(1000) });
  await eventually(() => rig.exchanges.length === 1);
  for (let count = 0; count < 50; count += 1)
    await (await fetch(rig.url, { method: 'POST', body: 'other'.repeat(1000) })).text();
  release.resolve();
  expect(await (await first).text()).toBe('first'.repeat(1000));
});

test.each(['gzip', 'GZIP', 'x-gzip'])('a %s body is what it says without its encoding', async (encoding) => {
  await using rig = await startRig(measure);
  const response = await gzipPost(rig.url, gzipSync('hello'.repeat(100)), encoding);
  expect(await response.text()).toBe('length 500');
  expect(rig.exchanges[0]?.body.toString()).toBe('hello'.repeat(100));
  expect(rig.exchanges[0]?.headers['content-encoding']).toBeUndefined();
  expect(rig.exchanges[0]?.headers['content-length']).toBeUndefined();
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('identity is no encoding at all, and any other is a 415 that says what is taken', async () => {
  await using rig = await startRig(measure);
  expect((await gzipPost(rig.url, Buffer.from('hello'), 'identity')).status).toBe(200);
  for (const encoding of ['br', 'zstd', 'deflate', 'gzip, gzip', 'gzip, identity', 'x']) {
    const response = await gzipPost(rig.url, Buffer.from('hello'), encoding);
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-encoding')).toBe('gzip, identity');
  }
});

test.each([
  ['not gzip', Buffer.from('plain')],
  ['cut gzip', gzipSync('hello'.repeat(1000)).subarray(0, 30)],
  ['empty', Buffer.alloc(0)],
])('a body that claims gzip and is %s is a 400, unless it is empty', async (name, body) => {
  await using rig = await startRig(measure);
  expect((await gzipPost(rig.url, body)).status).toBe(name === 'empty' ? 200 : 400);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('a gzip bomb is a 413, and costs no more memory than one body', async () => {
  await using rig = await startRig(measure);
  const bomb = gzipSync(Buffer.alloc(1024 * mebibyte));
  expect(bomb.length).toBeLessThan(1.1 * mebibyte);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  for (let count = 0; count < 3; count += 1) expect((await gzipPost(rig.url, bomb)).status).toBe(413);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * mebibyte);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('a bomb made of many small members is a 413 too', async () => {
  await using rig = await startRig(measure);
  const member = gzipSync(Buffer.alloc(mebibyte));
  const response = await gzipPost(rig.url, Buffer.concat(Array.from({ length: 200 }, () => member)));
  expect(response.status).toBe(413);
});

test('a small body may compress as well as it likes, a large one only a hundredfold', async () => {
  await using rig = await startRig(measure);
  expect((await gzipPost(rig.url, gzipSync(Buffer.alloc(mebibyte)))).status).toBe(200);
  expect((await gzipPost(rig.url, gzipSync(Buffer.alloc(mebibyte + 1)))).status).toBe(413);
});

test('many bombs at once stay below the limit of all bodies', async () => {
  const limits = { bodyBytesHeldMax: 3 * mebibyte };
  await using rig = await startRig(measure, limits);
  let heldMax = 0;
  const watch = setInterval(() => (heldMax = Math.max(heldMax, rig.ingress.bodyBytesHeld())), 1);
  const bombs = Array.from({ length: 20 }, () => gzipPost(rig.url, gzipSync(Buffer.alloc(mebibyte))));
  const statuses = (await Promise.all(bombs)).map((response) => response.status);
  clearInterval(watch);
  expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
  expect(statuses).toContain(200);
  expect(heldMax).toBeLessThanOrEqual(limits.bodyBytesHeldMax);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0);
});

test('room for what a body may become is needed before it is inflated', async () => {
  await using rig = await startRig(measure, { bodyBytesHeldMax: 500_000 });
  expect((await gzipPost(rig.url, gzipSync(Buffer.alloc(300_000)))).status).toBe(503);
  expect((await fetch(rig.url, { method: 'POST', body: Buffer.alloc(300_000) })).status).toBe(200);
});

test('a head larger than 16 KiB, in its target or its fields, is a 431', async () => {
  await using rig = await startRig();
  const target = await sendRaw(rig.port, `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(target.statuses).toEqual([431]);
  const field = await sendRaw(rig.port, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`);
  expect(field.statuses).toEqual([431]);
  expect(field.text).toMatch(/^x-request-id: new-2\r$/m);
  const fine = await sendRaw(
    rig.port,
    `GET /${'a'.repeat(8000)} HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(8000)}\r\nConnection: close\r\n\r\n`,
  );
  expect(fine.statuses).toEqual([200]);
});

test('a hundred header fields are taken, one more is a 431', async () => {
  await using rig = await startRig();
  const fields = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: v\r\n`).join('');
  const taken = await sendRaw(rig.port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields(98)}\r\n`);
  expect(taken.statuses).toEqual([200]);
  expect(rig.exchanges[0]?.headers['x-97']).toBe('v');
  for (const count of [99, 150, 2000]) {
    const refused = await sendRaw(rig.port, `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields(count)}\r\n`);
    expect(refused.statuses).toEqual([431]);
  }
  expect(rig.exchanges).toHaveLength(1);
});

test('a body in chunks of a byte each is taken up to a number of them, and refused beyond', async () => {
  await using rig = await startRig(undefined, { smallChunksMax: 100 });
  const head =
    'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
  const taken = await sendRaw(rig.port, `${head}${'1\r\nx\r\n'.repeat(100)}0\r\n\r\n`);
  expect(taken.statuses).toEqual([200]);
  expect(rig.exchanges[0]?.body.toString()).toBe('x'.repeat(100));
  const refused = await sendRaw(rig.port, `${head}${'1\r\nx\r\n'.repeat(101)}0\r\n\r\n`);
  expect(refused.statuses).toEqual([400]);
  expect(rig.exchanges).toHaveLength(1);
  // What is not small does not count, however many there are.
  const large = await sendRaw(rig.port, `${head}${`20\r\n${'x'.repeat(32)}\r\n`.repeat(500)}0\r\n\r\n`);
  expect(large.statuses).toEqual([200]);
});
