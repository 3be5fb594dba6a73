// What an installation with thousands of objects costs: to start, to change one of them, to start again, to do nothing.

import { setTimeout as delay } from 'node:timers/promises';
import { resourcePath } from '../../support/resource-status.ts';
import { createAll } from './bulk.ts';
import type { SeenObject } from './collection-watch.ts';
import { largeWorld, resourcesOf, teamModel, teamName, teamSecret, type WorldSize } from './large-world.ts';
import type { LoadResult } from './load.ts';
import { requestsBetween, runsBetween, type Scrape, scrape } from './operator-metrics.ts';
import { processorSeconds } from './processor.ts';
import type { Memory } from './program.ts';
import { measurePublished, type PublishedSize } from './published-size.ts';
import type { OperatorProgram, Rig } from './rig.ts';
import { Serving } from './serving.ts';
import { loadFor, startLoad } from './steady-load.ts';

/** A part of the measurement, for profiles: what happened between two moments of the monotonic clock (microseconds). */
export interface Span {
  readonly name: string;
  readonly fromMicros: number;
  readonly toMicros: number;
}

/** A start of the operator; times in milliseconds since its process was started. */
export interface StartResult {
  readonly allRead: number;
  readonly published: number;
  readonly served: readonly number[];
  readonly stated: number;
  readonly requests: ReadonlyMap<string, number>;
  readonly cpu: ReadonlyMap<string, number>;
}

/** A change of one route; times in milliseconds since its PATCH was sent. */
export interface OneChange {
  readonly published: number;
  readonly served: number;
  readonly stated: number;
}

/** Many changes one soon after the other, while requests go through the proxies. */
export interface BurstResult {
  readonly changes: number;
  readonly perSecond: number;
  /** Revisions that were published for them. */
  readonly revisions: number;
  /** From the last change to all three proxies. */
  readonly lastServed: number;
  readonly before: LoadResult;
  readonly during: LoadResult;
}

/** What the measurement came to. */
export interface ScaleResult {
  readonly size: WorldSize;
  readonly createdSeconds: number;
  readonly start: StartResult;
  readonly published: PublishedSize;
  readonly changes: readonly OneChange[];
  readonly perChange: {
    readonly requests: ReadonlyMap<string, number>;
    readonly runs: { readonly runs: number; readonly ms: number };
    readonly statusRuns: { readonly runs: number; readonly ms: number };
    readonly cpu: ReadonlyMap<string, number>;
  };
  readonly burst: BurstResult;
  readonly idle: {
    readonly seconds: number;
    readonly requests: ReadonlyMap<string, number>;
    readonly cpu: ReadonlyMap<string, number>;
  };
  readonly restart: Pick<StartResult, 'allRead' | 'requests' | 'cpu'> & { readonly republished: boolean };
  /** `heap`: what is in use of it, garbage included. */
  readonly memory: ReadonlyMap<string, Memory & { readonly heap: number }>;
  readonly spans: readonly Span[];
}

/** Thousands of statuses, on a machine that has other things to do. */
const startMsMax = 300_000;
const changeMsMax = 60_000;
/** Between two changes: what one has set off must be over. */
const pauseMs = 1_500;

const burstPerSecond = 10;
const calmMs = 5_000;

/** How much is measured. */
export interface ScaleOptions {
  readonly size: WorldSize;
  readonly changes: number;
  /** Changes that come one soon after the other. */
  readonly burst: number;
  readonly idleSeconds: number;
  readonly progress: (line: string) => void;
}

/** Measures. */
export async function measureScale(rig: Rig, options: ScaleOptions): Promise<ScaleResult> {
  const { size, idleSeconds, progress } = options;
  const { plane, installation, upstreams, proxies } = rig;
  const createdMs = performance.now();
  await createAll(plane, largeWorld(installation, size, upstreams[0]));
  const createdSeconds = (performance.now() - createdMs) / 1000;
  progress(`${resourcesOf(size)} resources with their Secrets made in ${createdSeconds.toFixed(0)} s`);
  const serving = new Serving();
  const spans: Span[] = [];
  const timed = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const fromMicros = monotonicMicros();
    const value = await run();
    spans.push({ name, fromMicros, toMicros: monotonicMicros() });
    progress(`${name}: done`);
    return value;
  };
  const [operator, start] = await timed('start', () => measureStart(rig, size, serving));
  await delay(5_000);
  const published = await measurePublished(rig);
  const look = (): Promise<Look> => takeLook(operator, [operator.program, ...proxies.map(({ program }) => program)]);
  const beforeChanges = await look();
  const changes = await timed('changes', () => makeChanges(rig, options, serving));
  const afterChanges = await look();
  await timed('idle', () => delay(idleSeconds * 1000));
  const afterIdle = await look();
  const burst = await timed('burst', () => measureBurst(rig, options, serving));
  const memory = await takeMemory(rig, operator);
  const restart = await timed('restart', () => measureRestart(rig, operator));
  await serving.close();
  return {
    size,
    createdSeconds,
    start,
    published,
    changes,
    burst,
    perChange: {
      ...compare(beforeChanges, afterChanges),
      runs: runsBetween(beforeChanges.scrape, afterChanges.scrape, 'configuration'),
      statusRuns: runsBetween(beforeChanges.scrape, afterChanges.scrape, 'status'),
    },
    idle: { seconds: idleSeconds, ...compare(afterChanges, afterIdle) },
    restart,
    memory,
    spans,
  };
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

interface Look {
  readonly scrape: Scrape;
  readonly cpu: ReadonlyMap<string, number>;
}

async function takeLook({ admin }: OperatorProgram, programs: readonly OperatorProgram['program'][]): Promise<Look> {
  return { cpu: await processorSeconds(programs), scrape: await scrape(admin) };
}

function compare(before: Look, after: Look): Pick<StartResult, 'requests' | 'cpu'> {
  return {
    requests: requestsBetween(before.scrape, after.scrape),
    cpu: new Map([...after.cpu].map(([name, seconds]) => [name, seconds - (before.cpu.get(name) ?? 0)])),
  };
}

async function takeMemory({ proxies }: Rig, operator: OperatorProgram): Promise<ScaleResult['memory']> {
  const entries = [operator, ...proxies].map(async ({ program, admin }) => {
    const heap = (await scrape(admin)).get('nodejs_heap_size_used_bytes') ?? 0;
    return [program.name, { ...(await program.memory()), heap }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** From nothing: no configuration is published, no status is written, and the proxies wait. */
async function measureStart(
  rig: Rig,
  size: WorldSize,
  serving: Serving,
): Promise<readonly [OperatorProgram, StartResult]> {
  const { publications, statuses, proxies } = rig;
  const cpuBefore = await processorSeconds(proxies.map(({ program }) => program));
  const operator = await rig.startOperator('operator');
  const { startedMs, program } = operator;
  const { revision, atMs } = await publications.next(0, undefined, startMsMax);
  const served = await serving.since(proxies, revision, startMsMax);
  const all = resourcesOf(size);
  const settled = (): true | undefined => (statuses.count('True') === all ? true : undefined);
  await statuses.until(settled, startMsMax, `not all of ${all} resources became ready`);
  const stated = statuses.lastChangeMs - startedMs;
  const after = await takeLook(operator, [program, ...proxies.map((proxy) => proxy.program)]);
  return [
    operator,
    {
      allRead: await sinceStart(operator, 'everything has been read'),
      published: atMs - startedMs,
      served: served.map((since) => since - startedMs),
      stated,
      ...compare({ scrape: new Map(), cpu: cpuBefore }, after),
    },
  ];
}

/** When it logged something, since its start. */
async function sinceStart({ program, startedMs }: OperatorProgram, message: string): Promise<number> {
  const [, time] = await program.says(new RegExp(`"time":"?([^",]+)"?[^\\n]*"msg":"${message}"`));
  const at = Number(time);
  return (Number.isNaN(at) ? Date.parse(time ?? '') : at) - startedMs;
}

async function makeChanges(rig: Rig, { size, changes }: ScaleOptions, serving: Serving): Promise<readonly OneChange[]> {
  const { publications, statuses, proxies } = rig;
  const done: OneChange[] = [];
  for (let number = 0; number < changes; number += 1) {
    const { count, digest } = publications;
    statuses.forget();
    const sentMs = Date.now();
    const changed = await changeRoute(rig, size, number);
    const { namespace = '', name } = changed.metadata;
    const { revision, atMs } = await publications.next(count, digest, changeMsMax);
    const served = Math.max(...(await serving.since(proxies, revision, changeMsMax)));
    const stated = await statuses.first({ name: `LLMRoute ${namespace}/${name}`, ready: 'True' }, changed, changeMsMax);
    done.push({ published: atMs - sentMs, served: served - sentMs, stated: stated - sentMs });
    await delay(pauseMs);
  }
  return done;
}

/** Changes one route; another with each number. */
function changeRoute({ plane, installation }: Rig, size: WorldSize, number: number): Promise<SeenObject> {
  const namespace = teamName(installation.className, number % size.teams);
  const name = `route-${number % Math.floor(size.routes / size.teams)}`;
  const patch = [{ op: 'replace', path: '/spec/rules/1/timeouts/totalSeconds', value: 301 + number }];
  return plane.request('PATCH', resourcePath('LLMRoute', namespace, name), patch, 'application/json-patch+json');
}

/** As when a repository with many manifests is applied: nobody waits for one change before the next. */
async function measureBurst(rig: Rig, { size, burst, changes }: ScaleOptions, serving: Serving): Promise<BurstResult> {
  const { publications, proxies, installation } = rig;
  const asks = Array.from({ length: size.teams }, (_, team) => ({
    model: teamModel(team, 0),
    secret: teamSecret(teamName(installation.className, team), 'client-0'),
  }));
  const before = await loadFor(rig, { name: 'load-before-burst', asks, seconds: burst / burstPerSecond });
  const load = await startLoad(rig, 'load-during-burst', asks);
  const { count } = publications;
  for (let number = 0; number < burst; number += 1) {
    await changeRoute(rig, size, changes + number);
    await delay(1000 / burstPerSecond);
  }
  const lastMs = Date.now();
  // Nothing tells which revision holds the last change; none comes any more when it has been published.
  await delay(calmMs);
  const served = await serving.since(proxies, publications.revision, changeMsMax);
  const during = await load.end();
  const revisions = publications.count - count;
  const lastServed = Math.max(...served) - lastMs;
  return { changes: burst, perSecond: burstPerSecond, revisions, lastServed, before, during };
}

/** Everything is published and said already: an operator that takes over should only read. */
async function measureRestart(rig: Rig, before: OperatorProgram): Promise<ScaleResult['restart']> {
  await before.program.stop();
  const { count } = rig.publications;
  const operator = await rig.startOperator('operator-restarted');
  const allRead = await sinceStart(operator, 'everything has been read');
  // It looks at every status once; nothing tells when it is through.
  await delay(10_000);
  const { requests, cpu } = compare(
    { scrape: new Map(), cpu: new Map() },
    await takeLook(operator, [operator.program]),
  );
  await operator.program.stop();
  return { allRead, requests, cpu, republished: rig.publications.count > count };
}
