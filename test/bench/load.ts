// Load from a process of its own: `node load.ts '{"mode": …}'` runs one measurement and prints one line of JSON.

import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';

/** One measurement. */
export type LoadPlan =
  /** `connections` ask one after another, `requests` in all. */
  | { readonly mode: 'closed'; readonly url: string; readonly requests: number; readonly connections: number }
  /** Requests on a fixed schedule, whatever becomes of those before: waiting in line counts. */
  | { readonly mode: 'open'; readonly url: string; readonly perSecond: number; readonly seconds: number }
  /** `streams` at once, each of `events` events, `everyMs` apart (0: as fast as may be). */
  | {
      readonly mode: 'stream';
      readonly url: string;
      readonly streams: number;
      readonly events: number;
      readonly everyMs: number;
    };

/** What came of it. Times in milliseconds. */
export interface LoadResult {
  readonly done: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

const messages = [
  { role: 'system', content: 'You are a helpful assistant. '.repeat(8) },
  { role: 'user', content: 'Tell me about rivers and the gates that hold them. '.repeat(12) },
];
const headers = { 'content-type': 'application/json', authorization: 'Bearer bench-client-key' };

function ask(pool: Pool, path: string, stream: string | undefined): Promise<boolean> {
  const body = JSON.stringify({ model: 'bench', messages, temperature: 0.5, ...(stream ? { stream: true } : {}) });
  const sent = stream ? { ...headers, 'idempotency-key': stream } : headers;
  return new Promise((resolve) => {
    let good = false;
    let ended = stream === undefined;
    pool.dispatch(
      { method: 'POST', path, headers: sent, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status) => {
          good = status === 200;
        },
        onResponseData: (_controller, chunk) => {
          ended ||= chunk.includes('[DONE]');
        },
        onResponseEnd: () => resolve(good && ended),
        onResponseError: () => resolve(false),
      },
    );
  });
}

async function run(plan: LoadPlan): Promise<LoadResult> {
  const url = new URL(plan.url);
  const pool = new Pool(url.origin, { connections: 4096, pipelining: 1, keepAliveTimeout: 600_000 });
  const times: number[] = [];
  let failed = 0;
  const once = async (fromMs: number, stream?: string): Promise<void> => {
    if (!(await ask(pool, url.pathname, stream))) failed += 1;
    times.push(performance.now() - fromMs);
  };
  const began = performance.now();
  if (plan.mode === 'closed') {
    let left = plan.requests;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await once(performance.now());
    };
    await Promise.all(Array.from({ length: plan.connections }, worker));
  } else if (plan.mode === 'open') {
    await onSchedule(plan.perSecond, plan.seconds, once);
  } else {
    const stream = `${plan.events}/${plan.everyMs}`;
    await Promise.all(Array.from({ length: plan.streams }, () => once(performance.now(), stream)));
  }
  const seconds = (performance.now() - began) / 1000;
  await pool.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { done: times.length, failed, seconds, p50: at(0.5), p99: at(0.99) };
}

/** Each request counts from when it was due, not from when there was time for it. */
async function onSchedule(perSecond: number, seconds: number, once: (fromMs: number) => Promise<void>): Promise<void> {
  const began = performance.now();
  const total = perSecond * seconds;
  const running: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      while (running.length < total) {
        const dueMs = began + (running.length * 1000) / perSecond;
        if (dueMs > performance.now()) break;
        running.push(once(dueMs));
      }
      if (running.length === total) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  await Promise.all(running);
}

if (process.argv[2] !== undefined) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2]) as LoadPlan))}\n`);
}
