// Steady load from a process of its own: `node load.ts '{"urls": […], …}'` asks until it gets SIGTERM, lets what is under
// way end, and prints one line of JSON.

import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';

/** What is asked. */
export interface LoadPlan {
  /** Of the proxies: each is asked `perSecond` times a second. */
  readonly urls: readonly string[];
  readonly perSecond: number;
  /** Asked in turn: public models, and the secrets of client keys that open them. */
  readonly asks: readonly { readonly model: string; readonly secret: string }[];
  /** One request in so many is a stream. */
  readonly streamEvery: number;
}

/** What came of it. Times in milliseconds; those of streams are left out, because the upstream decides them. */
export interface LoadResult {
  readonly done: number;
  readonly streams: number;
  readonly failed: number;
  /** The first failures, for people. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly times: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** A stream of a second: most of them are under way when a configuration is swapped. */
const streamEvents = '40/25';
const failuresMax = 5;

interface Sent {
  readonly ok: boolean;
  readonly why: string;
}

function ask(pool: Pool, { body, secret, streams }: { body: string; secret: string; streams: boolean }): Promise<Sent> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    pool.dispatch(
      {
        method: 'POST',
        path: '/v1/chat/completions',
        headers: streams ? { ...headers, 'idempotency-key': streamEvents } : headers,
        body,
      },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, received) => {
          status = received;
        },
        onResponseData: (_controller, chunk) => {
          // The end tells whether a stream is whole, the beginning why an answer is none.
          text = (status === 200 ? text.slice(-100) : text.slice(0, 500)) + chunk.toString();
        },
        onResponseEnd: () =>
          resolve({ ok: status === 200 && (!streams || text.includes('[DONE]')), why: `${status} ${text}` }),
        onResponseError: (_controller, error) => resolve({ ok: false, why: `${status} ${error.message}` }),
      },
    );
  });
}

/** Requests on a fixed schedule, whatever becomes of those before: each counts from when it was due. */
async function run({ urls, perSecond, asks, streamEvery }: LoadPlan, stop: AbortSignal): Promise<LoadResult> {
  const pools = urls.map((url) => new Pool(url, { connections: 1024, pipelining: 1, keepAliveTimeout: 600_000 }));
  const times: number[] = [];
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  let [sent, streamed, failed] = [0, 0, 0];
  const once = async (number: number, dueMs: number): Promise<void> => {
    const pool = pools[number % pools.length];
    const turn = Math.floor(number / pools.length);
    const streams = turn % streamEvery === 0;
    const { model = '', secret = '' } = asks[turn % asks.length] ?? {};
    const body = JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      ...(streams ? { stream: true } : {}),
    });
    if (pool === undefined) return;
    const { ok, why } = await ask(pool, { body, secret, streams });
    if (streams) streamed += 1;
    else times.push(performance.now() - dueMs);
    if (ok) return;
    failed += 1;
    if (failures.length < failuresMax) failures.push(`${new Date().toISOString()} ${model}: ${why}`);
  };
  const began = performance.now();
  const everyMs = 1000 / (perSecond * pools.length);
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      for (; began + sent * everyMs <= performance.now(); sent += 1) {
        const request = once(sent, began + sent * everyMs).finally(() => running.delete(request));
        running.add(request);
      }
      if (stop.aborted) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(running);
  await Promise.all(pools.map((pool) => pool.destroy()));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    done: sent,
    streams: streamed,
    failed,
    failures,
    seconds,
    times: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

if (process.argv[2] !== undefined) {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  process.stdout.write('asking\n');
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2]) as LoadPlan, stop.signal))}\n`);
}
