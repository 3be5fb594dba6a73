// Clients that leave: the handler learns of it at once, and nothing is left behind.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Exchange } from '../../../proxy/ingress/exchange.ts';
import { eventually } from '../../support/eventually.ts';
import { openRaw, startRig } from './rig.ts';

const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}';
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);

beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** Waits for the signal, as a handler does whose upstream takes its time. */
function untilAborted(exchange: Exchange): Promise<void> {
  return new Promise((resolve) => exchange.signal.addEventListener('abort', () => resolve(), { once: true }));
}

test.each([
  ['closes', false],
  ['resets', true],
])('a client that %s before its answer aborts the signal within milliseconds', async (_name, reset) => {
  let abortedAtMs = 0;
  await using rig = await startRig(async (exchange) => {
    await untilAborted(exchange);
    abortedAtMs = performance.now();
  });
  await using client = await openRaw(rig.port);
  client.write(post);
  await eventually(() => rig.exchanges.length === 1);
  const leftAtMs = performance.now();
  if (reset) client.socket.resetAndDestroy();
  else client.socket.destroy();
  await eventually(() => abortedAtMs > 0);
  expect(abortedAtMs - leftAtMs).toBeLessThan(250);
  expect(rig.exchanges[0]?.signal.reason).toBe('client-left');
  await eventually(() => rig.ingress.connections() === 0);
  expect(rig.ingress.inFlight()).toBe(0);
  expect(rig.errors).toHaveLength(0);
});

test('a client that leaves in the middle of a stream aborts the signal, and later writes go nowhere', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    stream.write(Buffer.from('first'));
    await untilAborted(exchange);
    expect(stream.write(Buffer.from('late'))).toBe(true);
    await new Promise<void>((resolve) => stream.onDrain(resolve));
    stream.end(Buffer.from('later'));
    stream.destroy();
    exchange.reply(200, {}, Buffer.from('latest'));
  });
  await using client = await openRaw(rig.port);
  client.write(post);
  await client.until(/first/);
  client.socket.destroy();
  await eventually(() => rig.exchanges[0]?.signal.reason === 'client-left');
  await delay(20);
  expect(rig.errors).toHaveLength(0);
  expect(rig.ingress.inFlight()).toBe(0);
});

test('a client that closes only its sending side counts as gone', async () => {
  await using rig = await startRig(untilAborted);
  await using client = await openRaw(rig.port, { half: true });
  client.write(post);
  await eventually(() => rig.exchanges.length === 1);
  client.socket.end();
  await eventually(() => rig.exchanges[0]?.signal.aborted === true, 1000);
  expect(rig.exchanges[0]?.signal.reason).toBe('client-left');
});

test('a signal that is first asked for after the client has left is aborted already', async () => {
  await using rig = await startRig(() => delay(100));
  await using client = await openRaw(rig.port);
  client.write(post);
  await eventually(() => rig.exchanges.length === 1);
  client.socket.destroy();
  await eventually(() => rig.ingress.inFlight() === 0);
  expect(rig.exchanges[0]?.signal.aborted).toBe(true);
  expect(rig.exchanges[0]?.signal.reason).toBe('client-left');
});

test('the signal of an answer that was complete is never aborted', async () => {
  await using rig = await startRig(async (exchange) => {
    void exchange.signal;
    if (exchange.path === '/stream') exchange.stream(200, {}).end(Buffer.from('x'));
    else exchange.reply(200, {}, Buffer.from('x'));
  });
  for (const path of ['/reply', '/stream']) {
    await using client = await openRaw(rig.port);
    client.write(post.replace('/', path));
    await client.until(/x/);
    client.socket.destroy();
    await eventually(() => rig.ingress.connections() === 0);
  }
  expect(rig.exchanges.map((exchange) => exchange.signal.aborted)).toEqual([false, false]);
});

test('a client that leaves while it sends its body never reaches the handler', async () => {
  await using rig = await startRig();
  await using client = await openRaw(rig.port);
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
  await eventually(() => rig.ingress.inFlight() === 1);
  client.socket.destroy();
  await eventually(() => rig.ingress.inFlight() === 0 && rig.ingress.connections() === 0);
  expect(rig.ingress.bodyBytesHeld()).toBe(0);
  expect(rig.exchanges).toHaveLength(0);
});

test('requests that wait behind one whose client has left are never served', async () => {
  await using rig = await startRig(untilAborted);
  await using client = await openRaw(rig.port);
  client.write(post + post + post);
  await eventually(() => rig.exchanges.length === 1);
  client.socket.destroy();
  await eventually(() => rig.ingress.connections() === 0);
  await delay(20);
  expect(rig.exchanges).toHaveLength(1);
  expect(rig.ingress.inFlight()).toBe(0);
});

test('a thousand clients that leave at any moment leave nothing behind', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    for (let count = 0; count < 5 && !exchange.signal.aborted; count += 1) {
      await delay(1);
      const ready = stream.write(Buffer.alloc(50_000));
      if (!ready) await new Promise<void>((resolve) => stream.onDrain(resolve));
    }
    stream.end();
  });
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  async function leave(): Promise<void> {
    await using client = await openRaw(rig.port);
    client.write(post.slice(0, Math.ceil(random() * post.length * 1.5)));
    await delay(random() * 10);
    if (random() < 0.5) client.socket.resetAndDestroy();
  }
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, leave));
  await eventually(() => rig.ingress.connections() === 0);
  expect(rig.ingress.inFlight()).toBe(0);
  expect(rig.ingress.bodyBytesHeld()).toBe(0);
  expect(rig.errors).toHaveLength(0);
  expect(rig.exchanges.length).toBeGreaterThan(300);
});
