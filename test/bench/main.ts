// The benchmark: `npm run bench [-- --rounds 5 --quick]`. Every contender takes its turn in every round, so that whatever
// else the machine does hits all alike; what counts is the ratio to the bare floor.

import { parseArgs } from 'node:util';
import { type Contender, startFloor, startNginx, startSluice } from './contenders.ts';
import type { LoadPlan } from './load.ts';
import { cpuSeconds, lineOf, load, residentBytes, start } from './processes.ts';
import { median, spread, table } from './table.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const scale = values.quick ? 0.25 : 1;

/** The program under measurement has this core for itself; upstream and load share the other. */
const measuredCore = 0;
const otherCore = 1;
const eventsPerStream = 2000;
const openRates = [200, 500];

/** What one turn of one contender came to. */
interface Turn {
  readonly requestMicros: number;
  readonly eventMicros: number;
  readonly trickleMicros: number;
  readonly latency: readonly { readonly p50: number; readonly p99: number }[];
  readonly failed: number;
}

async function microsPer(pids: readonly number[], plan: LoadPlan, units: number): Promise<[number, number]> {
  const before = await cpuSeconds(pids);
  const { failed } = await load(otherCore, plan);
  return [(((await cpuSeconds(pids)) - before) * 1e6) / units, failed];
}

async function turn({ url, pids }: Contender): Promise<Turn> {
  const requests = Math.round(12_000 * scale);
  const streams = Math.round(64 * scale);
  const events = streams * eventsPerStream;
  const [requestMicros, failed] = await microsPer(pids, { mode: 'closed', url, requests, connections: 32 }, requests);
  const saturated: LoadPlan = { mode: 'stream', url, streams, events: eventsPerStream, everyMs: 0 };
  const [eventMicros, cut] = await microsPer(pids, saturated, events);
  const trickling: LoadPlan = { mode: 'stream', url, streams: 100, events: 60, everyMs: 25 };
  const [trickleMicros, dripped] = await microsPer(pids, trickling, 100 * 60);
  const latency = [];
  for (const perSecond of openRates) {
    latency.push(await load(otherCore, { mode: 'open', url, perSecond, seconds: Math.round(6 * scale) + 1 }));
  }
  const late = latency.reduce((sum, { failed: lost }) => sum + lost, 0);
  return { requestMicros, eventMicros, trickleMicros, latency, failed: failed + cut + dripped + late };
}

/** What runs for days is compiled; the first 40,000 requests are not what a gateway costs. */
async function warmUp(url: string): Promise<void> {
  await load(otherCore, { mode: 'closed', url, requests: 40_000, connections: 32 });
  await load(otherCore, { mode: 'stream', url, streams: 64, events: 1000, everyMs: 0 });
}

/** Memory of a thousand streams that have begun and go on slowly. */
async function streamBytes({ url, pids }: Contender): Promise<number> {
  const before = await residentBytes(pids);
  const running = load(otherCore, { mode: 'stream', url, streams: 1000, events: 12, everyMs: 500 });
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const during = await residentBytes(pids);
  await running;
  return during - before;
}

async function main(): Promise<void> {
  const upstream = start(otherCore, process.execPath, [new URL('upstream.ts', import.meta.url).pathname]);
  const [, port = ''] = await lineOf(upstream, /^listening (\d+)/);
  const direct = `http://127.0.0.1:${port}/v1/chat/completions`;
  const contenders = [await startFloor(measuredCore, port)];
  const nginx = await startNginx(measuredCore, port);
  if (nginx === undefined) console.log('nginx is not installed and left out (Debian: apt-get install nginx-light)');
  else contenders.push(nginx);
  contenders.push(await startSluice(measuredCore, port));
  const turns = new Map(contenders.map((contender) => [contender, [] as Turn[]]));
  const control: { p50: number; p99: number }[][] = openRates.map(() => []);
  try {
    for (const { url } of contenders) await warmUp(url);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, perSecond] of openRates.entries()) {
        control[index]?.push(await load(otherCore, { mode: 'open', url: direct, perSecond, seconds: 3 }));
      }
      for (const contender of contenders) {
        turns.get(contender)?.push(await turn(contender));
        process.stderr.write(`round ${round} of ${rounds}: ${contender.name}\n`);
      }
    }
    const memory = new Map<Contender, number>();
    for (const contender of contenders) memory.set(contender, await streamBytes(contender));
    report(turns, control, memory);
  } finally {
    for (const { running } of contenders) await running.stop();
    await upstream.stop();
  }
}

function report(
  turns: ReadonlyMap<Contender, readonly Turn[]>,
  control: readonly (readonly { p50: number; p99: number }[])[],
  memory: ReadonlyMap<Contender, number>,
): void {
  const [floor] = turns.values();
  if (floor === undefined) return;
  const floorOf = (of: (turn: Turn) => number): number => median(floor.map(of));
  const rows = [...turns].map(([contender, all]) => {
    const cost = (of: (turn: Turn) => number): string => {
      const micros = all.map(of);
      return `${median(micros).toFixed(1)} ±${spread(micros).toFixed(1)} (${(median(micros) / floorOf(of)).toFixed(2)}×)`;
    };
    const added = openRates.map((_rate, index) => {
      const of = (part: 'p50' | 'p99'): string => {
        const through = median(all.map(({ latency }) => latency[index]?.[part] ?? 0));
        return (through - median(control[index]?.map((it) => it[part]) ?? [0])).toFixed(2);
      };
      return `${of('p50')} / ${of('p99')}`;
    });
    const failed = all.reduce((sum, { failed: lost }) => sum + lost, 0);
    const megabytes = ((memory.get(contender) ?? 0) / 1024 / 1024).toFixed(0);
    const costs = [(it: Turn) => it.requestMicros, (it: Turn) => it.eventMicros, (it: Turn) => it.trickleMicros];
    return [contender.name, ...costs.map(cost), ...added, megabytes, String(failed)];
  });
  const rates = openRates.map((rate) => `added p50 / p99 at ${rate}/s, ms`);
  const heads = ['', 'CPU µs/request', 'CPU µs/event', 'CPU µs/event, trickling', ...rates];
  console.log(
    `\nMedians of ${rounds} interleaved rounds, ± half of what lies between the quartiles; × the bare floor.\n`,
  );
  console.log(table([[...heads, 'MB per 1,000 streams', 'failed'], ...rows]));
}

await main();
