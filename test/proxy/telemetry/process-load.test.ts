import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Timer } from '../../../proxy/canonical/clock.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { ownBytes, type ProcessLoad, watchProcessLoad } from '../../../proxy/telemetry/process-load.ts';

let watch: Timer | undefined;
afterEach(() => watch?.cancel());

function samples(count: number): Promise<ProcessLoad[]> {
  return new Promise((resolve) => {
    const seen: ProcessLoad[] = [];
    watch = watchProcessLoad(systemClock, 100, (load) => {
      seen.push(load);
      if (seen.length === count) resolve(seen);
    });
  });
}

/** Does not rest for so long. */
function work(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test('a turn that takes long is told, though it began before the last sample, and so is a loop that never rests', async () => {
  const heard = samples(3);
  work(400);
  const [first] = await heard;
  // As much of it as the machine let this process work.
  expect(first?.loopDelayMaxMs).toBeGreaterThan(20);
  expect(first?.loopDelayMaxMs).toBe(first?.loopDelayMeanMs);
  expect(first?.loopUtilization).toBeGreaterThan(0.9);
});

test('a process that did not work was not late for anything of its own', async () => {
  const heard = samples(3);
  // Not the event loop's rest, and no work either.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  const [first] = await heard;
  expect(first?.loopDelayMaxMs).toBeLessThan(200);
});

// Read from /proc, which only Linux has: elsewhere no container has a limit, and nobody asks.
test.runIf(process.platform === 'linux')('memory that the kernel can take back does not count', () => {
  const { rss, heapUsed } = process.memoryUsage();
  expect(ownBytes()).toBeGreaterThan(heapUsed);
  // Node's own program alone is more than that.
  expect(ownBytes()).toBeLessThan(rss - 20e6);
});

test('shares of memory are shares', async () => {
  for (const { heapShare, memoryShare } of await samples(2)) {
    expect(heapShare).toBeGreaterThan(0);
    expect(heapShare).toBeLessThan(1);
    expect(memoryShare).toBeGreaterThanOrEqual(0);
    expect(memoryShare).toBeLessThan(1);
  }
});

test('nothing is heard any more when it is cancelled', async () => {
  let count = 0;
  watch = watchProcessLoad(systemClock, 20, () => (count += 1));
  await delay(100);
  watch.cancel();
  const heard = count;
  await delay(100);
  expect(heard).toBeGreaterThan(0);
  expect(count).toBe(heard);
});
