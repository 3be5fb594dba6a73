// Everything fails for a while, and clients do what official clients do by default: they try again. The upstreams get no more
// than they would in good times, and when they are well again, so is everything.

import { setTimeout as delay } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { anthropic } from '../support/anthropic-answers.ts';
import { backend, failover, provider, rule } from '../support/config.ts';
import { openai } from '../support/openai-answers.ts';
import { answer } from '../support/scripts.ts';
import { openStage } from '../support/stage.ts';
import type { Script, ScriptedUpstream } from '../support/upstream.ts';
import { printTable, Tally } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const calmMs = 1000;
const outageMs = sized({ usual: 4000, full: 60_000 });
const disableSeconds = sized({ usual: 1, full: 10 });
const afterMs = sized({ usual: 8000, full: 25_000 });
const perSecond = 20;
const names = ['a', 'b', 'c'] as const;
const broken: Script = answer({ error: { message: 'out of order', type: 'server_error' } }, { status: 503 });

/** One call of a client, with all that its library makes of it. */
interface Called {
  readonly atMs: number;
  readonly succeeded: boolean;
}

test(
  `${outageMs / 1000} s without any upstream: nothing is multiplied, and all comes back`,
  { timeout: timeoutMs(240) },
  async () => {
    const settings = failover({ disable: { failures: 1, windowSeconds: 60, seconds: disableSeconds } });
    await using stage = await openStage(
      { a: openai('a'), b: openai('b'), c: anthropic('c') },
      {
        rules: [
          rule(
            names.map((name) => backend(name)),
            { failover: settings },
          ),
        ],
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((it) =>
            it.id === 'default/c' ? provider('c', it.baseURL.replace('/v1', ''), { type: 'Anthropic' }) : it,
          ),
        }),
      },
    );
    const ask = callers(stage.gateway.url);
    const upstreams: readonly ScriptedUpstream[] = names.map((name) => stage.upstreams[name]);
    const well = upstreams.map(({ script }) => script);
    const calls: Promise<Called>[] = [];
    const begunMs = performance.now();
    const timer = setInterval(() => calls.push(call(ask[calls.length % ask.length])), 1000 / perSecond);
    await delay(calmMs);
    for (const upstream of upstreams) upstream.script = broken;
    const brokenAtMs = performance.now();
    const before = { requests: await requestsOf(stage.gateway), attempts: attemptsOf(upstreams) };
    await delay(outageMs);
    const healedAtMs = performance.now();
    const after = { requests: await requestsOf(stage.gateway), attempts: attemptsOf(upstreams) };
    upstreams.forEach((upstream, index) => (upstream.script = well[index] ?? broken));
    await delay(afterMs);
    clearInterval(timer);
    const done = await Promise.all(calls);
    const outcomes = new Tally();
    for (const { succeeded } of done) outcomes.add(succeeded ? 'succeeded' : 'failed');

    const during = done.filter(({ atMs }) => atMs >= brokenAtMs && atMs < healedAtMs).length;
    const attempts = after.attempts - before.attempts;
    const requests = after.requests - before.requests;
    const trials = names.length * (1 + Math.ceil(outageMs / (disableSeconds * 1000)));
    const recoveredMs = recoveryOf(done, healedAtMs) - healedAtMs;
    printTable('An outage of everything', {
      calls: `${done.length}, ${perSecond} a second, by official clients that retry; ${String(outcomes)}`,
      'during the outage': `${during} calls, ${requests} requests of clients, ${attempts} to upstreams`,
      'to upstreams by call': (attempts / during).toFixed(2),
      'requests by call': (requests / during).toFixed(2),
      'until 95 % succeed again': `${recoveredMs.toFixed(0)} ms`,
      'the whole': `${((performance.now() - begunMs) / 1000).toFixed(0)} s`,
    });
    expect(attempts).toBeLessThanOrEqual(1.2 * during + trials);
    expect(recoveredMs).toBeLessThan(disableSeconds * 1000 + 5000);
    expect(done.at(-1)?.succeeded).toBe(true);
  },
);

/** Clients as applications make them: with the retries that their makers think right. */
function callers(url: string): readonly (() => Promise<unknown>)[] {
  const messages = [{ role: 'user' as const, content: 'hello' }];
  const chat = new OpenAI({ apiKey: 'nobody', baseURL: `${url}/v1` });
  const claude = new Anthropic({ apiKey: 'nobody', baseURL: url });
  return [
    () => chat.chat.completions.create({ model: 'chat', messages }),
    () => claude.messages.create({ model: 'chat', max_tokens: 10, messages }),
  ];
}

async function call(ask: (() => Promise<unknown>) | undefined): Promise<Called> {
  const atMs = performance.now();
  const succeeded = await (ask?.() ?? Promise.reject(new Error('nobody asks'))).then(
    () => true,
    () => false,
  );
  return { atMs, succeeded };
}

async function requestsOf(gateway: { metrics(): Promise<string> }): Promise<number> {
  const lines = (await gateway.metrics()).split('\n').filter((line) => line.startsWith('sluice_requests_total{'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function attemptsOf(upstreams: readonly ScriptedUpstream[]): number {
  return upstreams.reduce((sum, { requests }) => sum + requests.length, 0);
}

/** From when on 95 of a hundred calls that are begun within a second succeed, and go on doing so. */
function recoveryOf(calls: readonly Called[], healedAtMs: number): number {
  const ends = calls.map(({ atMs }) => atMs).filter((atMs) => atMs >= healedAtMs);
  return (
    ends.find((fromMs) => {
      const first = calls.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1000);
      return first.filter(({ succeeded }) => succeeded).length >= 0.95 * first.length;
    }) ?? Infinity
  );
}
