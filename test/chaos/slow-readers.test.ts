// Clients that read a stream more slowly than its upstream writes (V17): the upstream is made to wait, the proxy holds
// little for each, and everybody else is served as before. A process of its own, so that its memory is its own.
//
// At its full size the kernel's buffers alone (8 MiB a stream) are more than it gives to all of TCP; smaller ones are had in
// a network namespace: unshare -n sh -c 'ip link set lo up; sysctl -w net.ipv4.tcp_rmem="4096 32768 262144"
// net.ipv4.tcp_wmem="4096 32768 262144"; ulimit -n 20000; CHAOS_SCALE=1 npm test -- test/chaos/slow-readers.test.ts'

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeMount, publish } from '../integration/proxy/mount.ts';
import { loopback, startProxyProcess } from '../integration/proxy/proxy-process.ts';
import { quantile } from '../integration/state/redis-fleet.ts';
import { failover, provider, route, ruleInOrder } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { printTable } from './crowd.ts';
import { heldBytes, withInspector } from './held-memory.ts';
import { openLoop, requestBytes } from './open-loop.ts';
import { completion, sendJson, startPlainUpstream } from './plain-upstream.ts';
import { sized, timeoutMs } from './scale.ts';

const readers = sized({ usual: 30, full: 1000 });
/** Each fills the kernel's buffers at once: some megabytes, as fast as they come. */
const atOnce = 10;
const readBytesPerSecond = 1024;
/** Of the proxy's memory, for each stream that is held up. */
const heldBytesMax = 256 * 1024;
/** And in all: code that was compiled meanwhile. */
const otherBytesMax = 4 * 1024 * 1024;
/** And with what has passed through and is not collected yet. */
const garbageBytesMax = 96 * 1024 * 1024;
const word = 'word '.repeat(800);
const frame = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: word }, finish_reason: null }] })}\n\n`;

/** What an upstream has written to one client, and when it last could. */
interface Written {
  bytes: number;
  atMs: number;
}

/** Milliseconds for which nobody could write. */
function settledSince(writing: ReadonlyMap<number, Written>): number {
  return performance.now() - Math.max(...[...writing.values()].map(({ atMs }) => atMs));
}

/** Reads a little every second, and nothing in between. */
function readSlowly(port: number, bytes: Buffer): { readonly socket: Socket; readonly began: Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1' });
  const { promise: began, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => undefined);
  // Nothing is taken from the kernel but by `read`.
  socket.on('readable', () => resolve());
  const timer = setInterval(() => socket.read(Math.min(readBytesPerSecond, socket.readableLength)), 1000);
  socket.on('close', () => clearInterval(timer));
  socket.write(bytes);
  return { socket, began };
}

test(
  `${readers} streams that are read at 1 KB/s hold up their upstream, and nobody else`,
  { timeout: timeoutMs(200) },
  async () => {
    const writing = new Map<number, Written>();
    let streams = 0;
    // As fast as it may, for as long as it may.
    await using upstream = await startPlainUpstream((response) => {
      const number = (streams += 1);
      const state = { bytes: 0, atMs: performance.now() };
      writing.set(number, state);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const pump = (): void => {
        let more = true;
        while (more && !response.destroyed) {
          state.bytes += frame.length;
          more = response.write(frame);
        }
        state.atMs = performance.now();
      };
      response.on('drain', pump);
      response.on('close', () => writing.delete(number));
      pump();
    });
    await using other = await startPlainUpstream((response) => sendJson(response, 200, completion));
    using mount = makeMount();
    const names = { slow: upstream.baseURL, fast: other.baseURL };
    mount.hold(
      publish({
        providers: Object.entries(names).map(([name, baseURL]) => provider(name, baseURL)),
        routes: Object.keys(names).map((name) => route(name, [ruleInOrder([name], { failover: failover() })])),
      }).files,
    );
    await using proxy = await startProxyProcess(mount, {
      // What fills buffers at first is load enough to be shed.
      args: [...loopback, '--shed-loop-delay-ms', '0'],
      environment: withInspector,
    });
    const port = Number(new URL(proxy.url).port);
    const rss = (): number =>
      Number(readFileSync(`/proc/${proxy.program.process.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
    const quick = requestBytes('/fast/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    const others = { port, bytes: quick, perSecond: 50, seconds: sized({ usual: 4, full: 15 }) };

    const before = await openLoop(others);
    const heldBefore = await heldBytes(proxy.program);
    const rssBefore = rss();
    const slow = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Slowly.' }] };
    const clients: Socket[] = [];
    while (clients.length < readers) {
      const some = Array.from({ length: Math.min(atOnce, readers - clients.length) }, () =>
        readSlowly(port, requestBytes('/slow/chat/completions', slow)),
      );
      clients.push(...some.map(({ socket }) => socket));
      await Promise.all(some.map(({ began }) => began));
      await eventually(() => writing.size === clients.length && settledSince(writing) > 200, 60_000);
    }
    const during = await openLoop(others);
    const written = [...writing.values()].map(({ bytes }) => bytes);
    await delay(1000);
    const later = [...writing.values()].map(({ bytes }) => bytes);
    const grown = rss() - rssBefore;
    const held = (await heldBytes(proxy.program)) - heldBefore;
    for (const socket of clients) socket.destroy();
    await eventually(() => writing.size === 0, 60_000);

    const times = (samples: typeof before): number[] => samples.map(({ servedMs }) => servedMs);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    printTable('V17: slow readers', {
      streams: readers,
      'held for each': `${(held / readers / 1024).toFixed(0)} KiB`,
      'memory of the proxy, garbage included': `${(rssBefore / 2 ** 20).toFixed(0)} MiB and ${(grown / 2 ** 20).toFixed(0)} MiB more`,
      'written by the upstream for each, kernel buffers included': `${(sum(written) / readers / 2 ** 20).toFixed(2)} MiB`,
      'written for each in the second after': `${((sum(later) - sum(written)) / readers / 1024).toFixed(1)} KiB`,
      'others before, p50 / p99 ms': `${quantile(times(before), 0.5).toFixed(1)} / ${quantile(times(before), 0.99).toFixed(1)}`,
      'others during, p50 / p99 ms': `${quantile(times(during), 0.5).toFixed(1)} / ${quantile(times(during), 0.99).toFixed(1)}`,
    });
    expect([...before, ...during].every(({ status }) => status === 200)).toBe(true);
    expect(held).toBeLessThan(otherBytesMax + readers * heldBytesMax);
    expect(grown).toBeLessThan(garbageBytesMax + readers * heldBytesMax);
    // What is taken by its client, and no more than fills buffers again.
    expect(sum(later) - sum(written)).toBeLessThan(readers * 64 * 1024);
  },
);
