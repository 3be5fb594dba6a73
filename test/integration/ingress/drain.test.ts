// The drain: no new connections, answers that end, connections that close, and a deadline.

import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Exchange } from '../../../proxy/ingress/exchange.ts';
import { eventually } from '../../support/eventually.ts';
import { echo, openRaw, signalled, startRig } from './rig.ts';

const quick = { drainServeMs: 300, drainCutMs: 3000 };
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Streams until told to end; says so in-band when its signal is aborted, as a protocol would. */
function streamUntil(end: Promise<void>) {
  return async (exchange: Exchange): Promise<void> => {
    const stream = exchange.stream(200, {});
    stream.write(Buffer.from('begun '));
    const aborted = new Promise<string>((resolve) =>
      exchange.signal.addEventListener('abort', () => resolve(`error: ${exchange.signal.reason}`), { once: true }),
    );
    stream.end(Buffer.from(await Promise.race([end.then(() => 'whole'), aborted])));
  };
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

test('with nothing open a drain ends at once', async () => {
  await using rig = await startRig();
  const report = await rig.ingress.drain({ deadlineMs: 60_000 });
  expect(report).toMatchObject({ requestsAtStart: 0, requestsDone: 0, requestsAborted: 0, connectionsCut: 0 });
  expect(report.durationMs).toBeLessThan(2000);
});

test('the listener closes at once, open connections are served with Connection: close, and nothing is cut', async () => {
  await using rig = await startRig(echo, quick);
  await using client = await openRaw(rig.port);
  client.write(get);
  expect(await client.until(/\}$/)).toMatch(/^connection: keep-alive\r$/im);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  expect(await connects(rig.port)).toBe(false);
  client.write(get);
  const answer = await client.closed();
  expect(answer.statuses).toEqual([200, 200]);
  expect(answer.text.split('HTTP/1.1')[2]).toMatch(/^connection: close\r$/im);
  expect(answer.closed).toBe(true);
  expect(await drained).toMatchObject({ requestsAtStart: 0, requestsDone: 1, requestsAborted: 0, connectionsCut: 0 });
});

test('idle connections stay for the serving time and are closed then, also those that never sent anything', async () => {
  await using rig = await startRig(echo, quick);
  await using used = await openRaw(rig.port);
  await using unused = await openRaw(rig.port);
  used.write(get);
  await used.until(/\}$/);
  await eventually(() => rig.ingress.connections() === 2);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  await delay(150);
  expect(rig.ingress.connections()).toBe(2);
  const report = await drained;
  expect(report.durationMs).toBeGreaterThanOrEqual(290);
  expect(report.durationMs).toBeLessThan(2000);
  expect((await used.closed()).closed).toBe(true);
  expect((await unused.closed()).closed).toBe(true);
});

test('a request that is on its way when the serving time ends is still served', async () => {
  await using rig = await startRig(echo, quick);
  await using client = await openRaw(rig.port);
  await eventually(() => rig.ingress.connections() === 1);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  await delay(100);
  client.write(get.slice(0, 20));
  await delay(400);
  client.write(get.slice(20));
  expect((await client.closed()).statuses).toEqual([200]);
  expect(await drained).toMatchObject({ requestsDone: 1, connectionsCut: 0 });
});

test('a stream runs on to its end, then its connection closes by itself, soon', async () => {
  const end = signalled();
  await using rig = await startRig(streamUntil(end.promise), quick);
  await using client = await openRaw(rig.port);
  client.write(get);
  await client.until(/begun/);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  await delay(600);
  expect(rig.ingress.inFlight()).toBe(1);
  end.resolve();
  expect(await client.until(/0\r\n\r\n$/)).toMatch(/whole/);
  expect((await client.closed()).closed).toBe(true);
  const report = await drained;
  expect(report).toMatchObject({ requestsAtStart: 1, requestsDone: 1, requestsAborted: 0, connectionsCut: 0 });
  expect(report.durationMs).toBeLessThan(2500);
});

test.each([
  ['within the serving time', 2000, 0],
  ['after it', 50, 300],
])('a stream that ends %s lets its connection serve one more request', async (_when, drainServeMs, endsAfterMs) => {
  const end = signalled();
  await using rig = await startRig(streamUntil(end.promise), { ...quick, drainServeMs });
  await using client = await openRaw(rig.port);
  client.write(get);
  await client.until(/begun/);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  await delay(endsAfterMs);
  end.resolve();
  await client.until(/0\r\n\r\n$/);
  client.write(get);
  const answer = await client.closed(1000);
  expect(answer.statuses).toEqual([200, 200]);
  expect(answer.text.split('HTTP/1.1')[2]).toMatch(/^connection: close\r$/im);
  expect(await drained).toMatchObject({ requestsDone: 2, connectionsCut: 0 });
});

test('at the deadline signals are aborted with that reason, and streams that say so end cleanly', async () => {
  await using rig = await startRig(streamUntil(new Promise(() => undefined)), quick);
  await using client = await openRaw(rig.port);
  client.write(get);
  await client.until(/begun/);
  const report = await rig.ingress.drain({ deadlineMs: 500 });
  expect(await client.until(/0\r\n\r\n$/)).toMatch(/error: drain-deadline/);
  expect(report).toMatchObject({ requestsAtStart: 1, requestsDone: 1, requestsAborted: 1, connectionsCut: 0 });
  expect(report.durationMs).toBeLessThan(2500);
});

test('what does not end even then is destroyed shortly after', async () => {
  await using rig = await startRig(() => new Promise(() => undefined), { ...quick, drainCutMs: 200 });
  await using client = await openRaw(rig.port);
  client.write(get);
  await eventually(() => rig.exchanges.length === 1);
  const report = await rig.ingress.drain({ deadlineMs: 100 });
  expect(report).toMatchObject({ requestsAborted: 1, connectionsCut: 1 });
  expect(report.durationMs).toBeLessThan(2000);
  expect(rig.exchanges[0]?.signal.reason).toBe('drain-deadline');
  expect((await client.closed()).closed).toBe(true);
  expect(rig.ingress.inFlight()).toBe(0);
});

test('a request whose head is not whole at the deadline goes with the idle connections', async () => {
  await using rig = await startRig(streamUntil(new Promise(() => undefined)), { drainServeMs: 50, drainCutMs: 1000 });
  await using client = await openRaw(rig.port);
  await eventually(() => rig.ingress.connections() === 1);
  const drained = rig.ingress.drain({ deadlineMs: 200 });
  client.write(get.slice(0, 20));
  await delay(100);
  client.write(get.slice(20, 25));
  await delay(150);
  client.write(get.slice(25));
  const answer = await client.closed();
  expect(answer.statuses).toEqual([]);
  expect(answer.closed).toBe(true);
  expect(await drained).toMatchObject({ requestsAborted: 0 });
});

test('a request that waits behind one that the deadline ends is refused as draining', async () => {
  await using rig = await startRig(streamUntil(new Promise(() => undefined)), quick);
  await using client = await openRaw(rig.port);
  client.write(get + get);
  await client.until(/begun/);
  const report = await rig.ingress.drain({ deadlineMs: 200 });
  const answer = await client.closed();
  expect(answer.statuses).toEqual([200, 503]);
  expect(answer.text).toMatch(/^x-sluice-error: draining\r$/m);
  expect(report).toMatchObject({ requestsDone: 1, requestsAborted: 1, connectionsCut: 0 });
});

test('slow requests are still timed out while draining', async () => {
  const limits = { ...quick, headersTimeoutMs: 400, connectionsCheckIntervalMs: 50, requestTimeoutMs: 1000 };
  await using rig = await startRig(echo, limits);
  await using client = await openRaw(rig.port);
  await eventually(() => rig.ingress.connections() === 1);
  const drained = rig.ingress.drain({ deadlineMs: 60_000 });
  const drip = setInterval(() => client.write('G'), 100);
  const answer = await client.closed();
  clearInterval(drip);
  expect(answer.closed).toBe(true);
  expect((await drained).durationMs).toBeLessThan(2000);
});

test('two drains are one', async () => {
  await using rig = await startRig();
  const first = rig.ingress.drain({ deadlineMs: 1000 });
  expect(await rig.ingress.drain({ deadlineMs: 1000 })).toBe(await first);
});

test('a drain under load loses no answer', async () => {
  await using rig = await startRig(async (exchange) => {
    await delay(5);
    await echo(exchange);
  });
  let answered = 0;
  let lost = 0;
  let draining = false;
  async function load(): Promise<void> {
    await using client = await openRaw(rig.port);
    while (!/connection: close/i.test(client.text())) {
      const sent = answered;
      const before = client.text().match(/HTTP/g)?.length ?? 0;
      client.write(get);
      await eventually(() => (client.text().match(/HTTP/g)?.length ?? 0) > before).catch(() => (lost += 1));
      answered = sent + 1;
    }
    expect(draining).toBe(true);
  }
  const loads = Array.from({ length: 20 }, load);
  await delay(200);
  draining = true;
  const report = await rig.ingress.drain({ deadlineMs: 10_000 });
  await Promise.all(loads);
  expect(lost).toBe(0);
  expect(report).toMatchObject({ requestsAborted: 0, connectionsCut: 0 });
  expect(report.durationMs).toBeLessThan(3000);
});

test('listening where something else listens rejects', async () => {
  await using rig = await startRig();
  await using other = await startRig();
  await other.ingress.close();
  await expect(rig.ingress.listen('127.0.0.1', rig.port)).rejects.toThrow();
});
