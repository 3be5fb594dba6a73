// Clients that are slow on purpose or by accident, with limits short enough to wait for.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Exchange } from '../../../proxy/ingress/exchange.ts';
import { eventually } from '../../support/eventually.ts';
import { echo, openRaw, startRig, type RawClient, type Rig } from './rig.ts';

const quick = {
  headersTimeoutMs: 300,
  requestTimeoutMs: 600,
  connectionsCheckIntervalMs: 50,
  writeStallTimeoutMs: 300,
};
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Opens many connections, of which each then does the same. */
async function openMany(rig: Rig, count: number, begin: (client: RawClient) => void): Promise<readonly RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => openRaw(rig.port)));
  clients.forEach(begin);
  return clients;
}

/** The longest of some requests of a good client, each of which must be served. */
async function slowestMs(rig: Rig, requests: number): Promise<number> {
  let slowest = 0;
  for (let count = 0; count < requests; count += 1) {
    const startedAtMs = performance.now();
    const response = await fetch(`${rig.url}/good`);
    expect(response.status).toBe(200);
    await response.text();
    slowest = Math.max(slowest, performance.now() - startedAtMs);
  }
  return slowest;
}

test('a hundred clients that drip their heads get a 408 each, while a good client is served', async () => {
  await using rig = await startRig(echo, quick);
  const clients = await openMany(rig, 100, (client) => client.write('GET / HTTP/1.1\r\nHost: a\r\n'));
  const drip = setInterval(() => clients.forEach((client) => client.write('X-A: b\r\n')), 50);
  expect(await slowestMs(rig, 30)).toBeLessThan(2000);
  for (const client of clients) {
    const answer = await client.closed();
    expect(answer.statuses).toEqual([408]);
    expect(answer.closed).toBe(true);
    expect(answer.text).toMatch(/^x-request-id: new-\w+\r$/m);
  }
  clearInterval(drip);
  expect(rig.exchanges.every((exchange) => exchange.path === '/good')).toBe(true);
  // Only the pool of the good client is left.
  await eventually(() => rig.ingress.connections() < 5);
});

test('a hundred clients that drip their bodies get a 408 each with their own id, while a good client is served', async () => {
  await using rig = await startRig(echo, quick);
  const head = 'POST /slow HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nContent-Length: 9999\r\n\r\n';
  const clients = await openMany(rig, 100, (client) => client.write(head));
  const drip = setInterval(() => clients.forEach((client) => client.write('x')), 50);
  expect(await slowestMs(rig, 30)).toBeLessThan(2000);
  for (const client of clients) {
    const answer = await client.closed();
    expect(answer.statuses).toEqual([408]);
    expect(answer.text).toMatch(/^x-request-id: mine\r$/m);
    expect(answer.text).toMatch(/"path":"\/slow"/);
  }
  clearInterval(drip);
  expect(rig.exchanges.every((exchange) => exchange.path === '/good')).toBe(true);
  await eventually(() => rig.ingress.bodyBytesHeld() === 0 && rig.ingress.inFlight() === 0);
});

test('clients that connect and say nothing are closed', async () => {
  await using rig = await startRig(echo, quick);
  const clients = await openMany(rig, 20, () => undefined);
  for (const client of clients) expect((await client.closed()).closed).toBe(true);
  expect(rig.exchanges).toHaveLength(0);
});

test('the time for requests does not end long answers', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    for (let count = 0; count < 15; count += 1) {
      stream.write(Buffer.from(`part ${count} `));
      await delay(100);
    }
    stream.end(Buffer.from('whole'));
  }, quick);
  expect(await (await fetch(rig.url, { method: 'POST', body: 'x' })).text()).toMatch(/whole$/);
});

test('an answer may take longer to begin than a request may take to arrive', async () => {
  await using rig = await startRig(async (exchange) => {
    await delay(1200);
    exchange.reply(200, {}, Buffer.from('late'));
  }, quick);
  expect(await (await fetch(rig.url, { method: 'POST', body: 'x' })).text()).toBe('late');
});

/** Streams as much as the client takes, and notes how much that was. */
function flood(written: Map<Exchange, number>) {
  return async (exchange: Exchange): Promise<void> => {
    if (exchange.path === '/good') return exchange.reply(200, {}, Buffer.from('good'));
    const stream = exchange.stream(200, {});
    const chunk = Buffer.alloc(64 * 1024);
    while (!exchange.signal.aborted) {
      const ready = stream.write(chunk);
      written.set(exchange, (written.get(exchange) ?? 0) + chunk.length);
      if (!ready) await new Promise<void>((resolve) => stream.onDrain(resolve));
    }
  };
}

test('a hundred clients that take nothing are cut after the stall time, while a good client is served', async () => {
  const written = new Map<Exchange, number>();
  await using rig = await startRig(flood(written), { ...quick, writeStallTimeoutMs: 1000 });
  const clients = await openMany(rig, 100, (client) => {
    client.socket.pause();
    client.write(get);
  });
  await eventually(() => written.size === 100);
  expect(await slowestMs(rig, 30)).toBeLessThan(2000);
  await eventually(() => rig.ingress.inFlight() === 0, 15_000);
  expect(rig.exchanges.filter((exchange) => exchange.signal.reason === 'client-left')).toHaveLength(100);
  for (const client of clients) client.socket.destroy();
  expect(rig.errors).toHaveLength(0);
});

test('a client that takes nothing of a whole answer is cut too', async () => {
  await using rig = await startRig(async (exchange) => exchange.reply(200, {}, Buffer.alloc(20_000_000)), quick);
  await using client = await openRaw(rig.port);
  client.socket.pause();
  client.write(get);
  await eventually(() => rig.exchanges.length === 1);
  await eventually(() => rig.ingress.connections() === 0, 3000);
});

test('a client that takes nothing of the end of a stream is cut too', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    stream.write(Buffer.from('begun'));
    stream.end(Buffer.alloc(20_000_000));
  }, quick);
  await using client = await openRaw(rig.port);
  client.socket.pause();
  client.write(get);
  await eventually(() => rig.exchanges.length === 1);
  await eventually(() => rig.ingress.connections() === 0, 3000);
});

test('a slow client that does take something is served to the end', async () => {
  const size = 12_000_000;
  const limits = { ...quick, writeStallTimeoutMs: 1000 };
  await using rig = await startRig(async (exchange) => exchange.reply(200, {}, Buffer.alloc(size)), limits);
  await using client = await openRaw(rig.port);
  let received = 0;
  client.write(get);
  client.socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    // Some 3 MB/s: the whole takes several times the stall time.
    client.socket.pause();
    setTimeout(() => client.socket.resume(), (chunk.length / 3_000_000) * 1000);
  });
  await eventually(() => received > size, 20_000);
});

test('after a client has caught up its connection serves on, and silence on a stream is no stall', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    let ready = true;
    while (ready) ready = stream.write(Buffer.alloc(100_000));
    await new Promise<void>((resolve) => stream.onDrain(resolve));
    await delay(800);
    stream.end(Buffer.from('whole'));
  }, quick);
  await using client = await openRaw(rig.port);
  for (let count = 1; count <= 2; count += 1) {
    client.socket.pause();
    client.write(get);
    await delay(100);
    client.socket.resume();
    await eventually(() => client.text().match(/whole\r\n0\r\n\r\n/g)?.length === count);
  }
});

test('backpressure: write says when to wait, and onDrain when to go on', async () => {
  const written = new Map<Exchange, number>();
  let ended = false;
  await using rig = await startRig(async (exchange) => {
    await flood(written)(exchange);
    ended = true;
  });
  await using client = await openRaw(rig.port);
  client.socket.pause();
  client.write(get);
  await eventually(() => written.size === 1);
  await delay(300);
  const [stalledAt] = written.values();
  await delay(200);
  expect([...written.values()]).toEqual([stalledAt]);
  client.socket.resume();
  await eventually(() => [...written.values()][0]! > stalledAt! + 1_000_000);
  client.socket.pause();
  await delay(200);
  expect(ended).toBe(false);
  // One that waits for a client that then leaves is woken, or its handler would never end.
  client.socket.destroy();
  await eventually(() => ended && rig.ingress.inFlight() === 0);
  expect(rig.exchanges[0]?.signal.reason).toBe('client-left');
});

test('connections beyond the limit of the process are refused, those of an address beyond its own limit too', async () => {
  for (const limits of [{ connectionsMax: 3 }, { connectionsPerAddressMax: 3 }]) {
    await using rig = await startRig(echo, limits);
    const clients = await openMany(rig, 3, () => undefined);
    await eventually(() => rig.ingress.connections() === 3);
    const fourth = await openRaw(rig.port);
    expect((await fourth.closed()).closed).toBe(true);
    clients[0]!.socket.destroy();
    await eventually(() => rig.ingress.connections() === 2);
    await using fifth = await openRaw(rig.port);
    fifth.write(get);
    await fifth.until(/200 OK/);
    for (const client of clients) client.socket.destroy();
  }
});
