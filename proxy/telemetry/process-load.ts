// How busy this process is, measured: what the overload guard decides by.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../canonical/clock.ts';

/** Time between looks at the clock: fine enough for a loop that should be prompt to 15 ms. Each costs microseconds. */
const lookMs = 20;

/** What was measured since the last time; shares are from 0 to 1, 0 where there is no limit. */
export interface ProcessLoad {
  /**
   * How late timers were for what this process did itself: what it waited for a processor that others had, it would wait
   * for as well if it had less to do.
   */
  readonly loopDelayMeanMs: number;
  readonly loopDelayMaxMs: number;
  readonly loopUtilization: number;
  readonly heapShare: number;
  readonly memoryShare: number;
}

/**
 * Measures every so often until it is cancelled. Not by `monitorEventLoopDelay`: what is under way when its histogram is
 * reset is never recorded, and that is where the long turns are when there is one a sample.
 */
export function watchProcessLoad(clock: Clock, everyMs: number, hear: (load: ProcessLoad) => void): Timer {
  const { heap_size_limit: heapBytesMax } = getHeapStatistics();
  const memoryBytesMax = containerBytesMax();
  let loop = performance.eventLoopUtilization();
  let processor = process.threadCpuUsage();
  let delays = noDelays;
  let lookedAtMs = performance.now();
  let measuredAtMs = lookedAtMs;
  let timer = clock.setTimer(lookMs, look);

  function look(): void {
    const nowMs = performance.now();
    delays = withDelay(delays, Math.max(0, nowMs - lookedAtMs - lookMs));
    lookedAtMs = nowMs;
    if (nowMs - measuredAtMs >= everyMs) measure(nowMs);
    timer = clock.setTimer(lookMs, look);
  }

  function measure(nowMs: number): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, loop);
    const { user, system } = process.threadCpuUsage(processor);
    // Of this thread alone: plugins and compression have threads of their own.
    const processorShare = Math.min(1, (user + system) / 1000 / (nowMs - measuredAtMs));
    const load = {
      loopDelayMeanMs: (processorShare * delays.sumMs) / delays.count,
      loopDelayMaxMs: processorShare * delays.maxMs,
      loopUtilization: utilization,
      heapShare: process.memoryUsage().heapUsed / heapBytesMax,
      memoryShare: memoryBytesMax === undefined ? 0 : ownBytes() / memoryBytesMax,
    };
    loop = now;
    processor = process.threadCpuUsage();
    delays = noDelays;
    measuredAtMs = nowMs;
    hear(load);
  }

  return { cancel: () => timer.cancel() };
}

interface Delays {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
}

const noDelays: Delays = { count: 0, sumMs: 0, maxMs: 0 };

function withDelay({ count, sumMs, maxMs }: Delays, delayMs: number): Delays {
  return { count: count + 1, sumMs: sumMs + delayMs, maxMs: Math.max(maxMs, delayMs) };
}

/**
 * Memory that only this process's end would give back. Resident pages of files (half of what an idle Node has) are the
 * kernel's to drop: counted, a small container would look full from the beginning.
 */
export function ownBytes(): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** The limit of the container, where it has one: without one the kernel says a number that no machine has. */
function containerBytesMax(): number | undefined {
  const bytes = process.constrainedMemory();
  return bytes > 0 && bytes < Number.MAX_SAFE_INTEGER ? bytes : undefined;
}
