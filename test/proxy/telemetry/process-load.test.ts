import { afterEach, expect, test } from 'vitest';
import type { Timer } from '../../../proxy/canonical/clock.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { type ProcessLoad, watchProcessLoad } from '../../../proxy/telemetry/process-load.ts';

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
  expect(first?.loopDelayMaxMs).toBeGreaterThan(350);
  expect(first?.loopDelayMeanMs).toBeGreaterThan(350);
  expect(first?.loopUtilization).toBeGreaterThan(0.9);
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
  await new Promise((resolve) => setTimeout(resolve, 100));
  watch.cancel();
  const heard = count;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toBeGreaterThan(0);
  expect(count).toBe(heard);
});
