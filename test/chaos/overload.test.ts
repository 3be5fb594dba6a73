// More requests than a proxy, or a backend, can take (V16): a process of its own, and clients that do not wait for one
// another. What is asserted are shares, never times: the machine has other things to do.

import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeMount, type Mount, publish } from '../integration/proxy/mount.ts';
import { loopback, type ProxyProcess, startProxyProcess } from '../integration/proxy/proxy-process.ts';
import { quantile } from '../integration/state/redis-fleet.ts';
import { type ConfigDraft, failover, provider, route, ruleInOrder } from '../support/config.ts';
import { printTable } from './crowd.ts';
import { closedLoop, openLoop, requestBytes, type Sample } from './open-loop.ts';
import { completion, sendJson, startPlainUpstream } from './plain-upstream.ts';
import { sized, timeoutMs } from './scale.ts';

const seconds = sized({ usual: 8, full: 30 });
/** At full size the figures are those of the design; otherwise others have the cores too. */
const full = sized({ usual: 0, full: 1 }) > 0;
const neverDisabled = failover({ disable: { failures: 1, windowSeconds: 60, seconds: 0 } });

function draftOf(upstreams: Readonly<Record<string, string>>): ConfigDraft {
  return {
    providers: Object.entries(upstreams).map(([name, baseURL]) => provider(name, baseURL)),
    routes: Object.keys(upstreams).map((name) => route(name, [ruleInOrder([name], { failover: neverDisabled })])),
  };
}

function portOf({ url }: ProxyProcess): number {
  return Number(new URL(url).port);
}

function rssBytes({ program }: ProxyProcess): number {
  return Number(readFileSync(`/proc/${program.process.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

function times(samples: readonly Sample[], status: number): number[] {
  return samples.filter((it) => it.status === status).map(({ servedMs }) => servedMs);
}

function perSecond(samples: readonly Sample[], status: number, during: number): number {
  return times(samples, status).length / during;
}

function frameOf(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

const word = frameOf({ content: 'word ' });
const last = `${frameOf({}, 'stop')}data: [DONE]\n\n`;
/** A long answer, whose translation costs a proxy far more than to refuse it, and its upstream nothing. */
const longStream = Buffer.from(word.repeat(2000) + last);

const question = { model: 'm', max_tokens: 1000, stream: true, messages: [{ role: 'user', content: 'Hello' }] };

/** Streams that are under way: a word every so often, until all have been told to end. */
async function openStreams(proxy: ProxyProcess, count: number): Promise<() => Promise<boolean[]>> {
  const agent = new Agent();
  const streams = Array.from({ length: count }, () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const outgoing = httpRequest(`${proxy.url}/slow/chat/completions`, { method: 'POST', agent }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-40)));
      response.on('close', () => resolve(text.includes('[DONE]')));
    });
    outgoing.on('error', () => resolve(false));
    outgoing.setHeader('content-type', 'application/json');
    outgoing.end(JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Slowly.' }] }));
    return promise;
  });
  await delay(500);
  return () => Promise.all(streams);
}

/** What a proxy can do in a second that takes whatever comes. */
async function peakOf(mount: Mount, bytes: Buffer, during: number): Promise<Sample[]> {
  await using proxy = await startProxyProcess(mount, { args: [...loopback, '--shed-loop-delay-ms', '0'] });
  const load = { port: portOf(proxy), bytes, atOnce: 8 };
  await closedLoop({ ...load, seconds: 2 });
  const samples = await closedLoop({ ...load, seconds: during });
  return samples;
}

test(
  'four times what a proxy can take: it goes on at its pace, and refuses the rest at once',
  { timeout: timeoutMs(200) },
  async () => {
    let over = false;
    await using fast = await startPlainUpstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(longStream);
    });
    await using slow = await startPlainUpstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => {
        if (!over) return void response.write(word);
        clearInterval(timer);
        response.end(last);
      }, 250);
      response.on('close', () => clearInterval(timer));
    });
    using mount = makeMount();
    mount.hold(publish(draftOf({ fast: fast.baseURL, slow: slow.baseURL })).files);
    const bytes = requestBytes('/fast/v1/messages', question, { 'anthropic-version': '2023-06-01' });
    const peakSeconds = Math.max(4, seconds / 2);
    const peak = await peakOf(mount, bytes, peakSeconds);
    const peakPerSecond = perSecond(peak, 200, peakSeconds);

    await using proxy = await startProxyProcess(mount, { args: loopback });
    const load = { port: portOf(proxy), bytes };
    const streams = await openStreams(proxy, 20);
    await closedLoop({ ...load, seconds: 1, atOnce: 1 });
    let rssMax = 0;
    const watch = setInterval(() => (rssMax = Math.max(rssMax, rssBytes(proxy))), 200);
    const samples = await openLoop({ ...load, seconds, perSecond: 4 * peakPerSecond });
    clearInterval(watch);
    // From when it had noticed: a second has to be bad first.
    const settled = samples.filter((_, index) => index > samples.length / 3);
    over = true;
    const whole = await streams();
    const metrics = await (await fetch(`${proxy.adminURL}/metrics`)).text();
    const goodput = perSecond(samples, 200, seconds);
    printTable('V16: four times what a proxy can take', {
      'peak per second': peakPerSecond.toFixed(0),
      'peak p50 / p99 ms': `${quantile(times(peak, 200), 0.5).toFixed(0)} / ${quantile(times(peak, 200), 0.99).toFixed(0)}`,
      'offered per second': (4 * peakPerSecond).toFixed(0),
      'answered per second': `${goodput.toFixed(0)} (${((100 * goodput) / peakPerSecond).toFixed(0)} % of the peak)`,
      'answered p50 / p99 ms': `${quantile(times(settled, 200), 0.5).toFixed(0)} / ${quantile(times(settled, 200), 0.99).toFixed(0)}`,
      refused: `${times(samples, 503).length} of ${samples.length}`,
      'refused p50 / p99 ms': `${quantile(times(settled, 503), 0.5).toFixed(0)} / ${quantile(times(settled, 503), 0.99).toFixed(0)}`,
      broken: times(samples, 0).length,
      'streams under way that were whole': `${whole.filter(Boolean).length} of ${whole.length}`,
      'RSS at most': `${(rssMax / 2 ** 20).toFixed(0)} MiB`,
      shed: /sluice_shed_requests_total\{reason="event-loop"\} \d+/.exec(metrics)?.[0] ?? '',
    });
    expect(whole.every(Boolean)).toBe(true);
    expect(samples.every(({ status }) => status === 200 || status === 503)).toBe(true);
    const refused = samples.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(samples.length / 10);
    for (const { head } of refused) {
      expect(head).toMatch(/^retry-after: 1\r$/m);
      expect(head).toMatch(/^x-sluice-error: overloaded\r$/m);
      expect(head).toContain('"overloaded_error"');
    }
    expect(goodput).toBeGreaterThan((full ? 0.9 : 0.2) * peakPerSecond);
  },
);

test(
  'four times what a backend can take: it does what it can, and is hardly asked for more',
  { timeout: timeoutMs(100) },
  async () => {
    const atOnce = 40;
    const holdMs = 200;
    let working = 0;
    let refusals = 0;
    const overloaded = Buffer.from(JSON.stringify({ error: { message: 'Overloaded', type: 'overloaded_error' } }));
    await using upstream = await startPlainUpstream((response) => {
      if (working >= atOnce) {
        refusals += 1;
        sendJson(response, 503, overloaded);
        return;
      }
      working += 1;
      setTimeout(() => {
        working -= 1;
        sendJson(response, 200, completion);
      }, holdMs);
    });
    using mount = makeMount();
    mount.hold(publish(draftOf({ chat: upstream.baseURL })).files);
    await using proxy = await startProxyProcess(mount, { args: [...loopback, '--shed-loop-delay-ms', '0'] });
    const bytes = requestBytes('/chat/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    const load = { port: portOf(proxy), bytes };

    const peak = await closedLoop({ ...load, seconds: 3, atOnce });
    const peakPerSecond = perSecond(peak, 200, 3);
    refusals = 0;
    const before = upstream.requests;
    const samples = await openLoop({ ...load, seconds, perSecond: (4 * atOnce * 1000) / holdMs });
    const goodput = perSecond(samples, 200, seconds);
    const unsent = samples.filter(
      ({ head }) => head.includes('upstream_overloaded') && !head.includes('x-sluice-attempts'),
    );
    printTable('V16: four times what a backend can take', {
      'peak per second': peakPerSecond.toFixed(0),
      'offered per second': (4 * atOnce * 1000) / holdMs,
      'answered per second': `${goodput.toFixed(0)} (${((100 * goodput) / peakPerSecond).toFixed(0)} % of the peak)`,
      'sent to the backend': `${upstream.requests - before}, of which it refused ${refusals}`,
      'refused without asking it': `${unsent.length} of ${samples.length}`,
      'refused p50 / p99 ms': `${quantile(times(unsent, 503), 0.5).toFixed(0)} / ${quantile(times(unsent, 503), 0.99).toFixed(0)}`,
      'answered p50 / p99 ms': `${quantile(times(samples, 200), 0.5).toFixed(0)} / ${quantile(times(samples, 200), 0.99).toFixed(0)}`,
    });
    expect(samples.every(({ status }) => status === 200 || status === 503)).toBe(true);
    expect(goodput).toBeGreaterThan((full ? 0.9 : 0.4) * peakPerSecond);
    // Without a limit three of four would have been refused by the backend itself.
    expect(refusals).toBeLessThan(samples.length / 4);
    expect(unsent.length).toBeGreaterThan(samples.length / 4);
  },
);
