import { describe, expect, test } from 'vitest';
import { createWorkQueue, lowPriority, type QueueItem, type WorkQueue } from '../../../operator/queue/work-queue.ts';
import { settled } from '../../support/clock.ts';
import { TurnedClock } from './turned-clock.ts';

function setUp() {
  const clock = new TurnedClock();
  const heard: unknown[] = [];
  const queue = createWorkQueue({
    clock,
    observer: {
      added: (priority) => heard.push(['added', priority]),
      depthChanged: (priority, depth) => heard.push(['depth', priority, depth]),
      taken: (waitedMs) => heard.push(['taken', waitedMs]),
      done: (workedMs) => heard.push(['done', workedMs]),
      retried: () => heard.push(['retried']),
    },
  });
  return { clock, queue, heard };
}

/** Everything that is ready, in its order. */
async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.size > 0) keys.push((await queue.get())?.key ?? '');
  return keys;
}

test('a key that is added several times comes once', async () => {
  const { queue } = setUp();
  queue.add('a');
  queue.add('b');
  queue.add('a');
  expect(await takeAll(queue)).toEqual(['a', 'b']);
});

test('a key that is added while it is worked on comes again when that is done, and to nobody before', async () => {
  const { queue } = setUp();
  queue.add('a');
  await queue.get();
  queue.add('a');
  const next = queue.get();
  let got: QueueItem | undefined;
  void next.then((item) => (got = item));
  await settled();
  expect(got).toBeUndefined();

  queue.done('a');
  await settled();
  expect(got).toEqual({ key: 'a', priority: 0 });
  queue.done('a');
  expect(queue.size).toBe(0);
});

test('a worker that waits gets a key as soon as it is added', async () => {
  const { queue } = setUp();
  const [first, second] = [queue.get(), queue.get()];
  queue.add('a');
  queue.add('b');
  expect([await first, await second]).toEqual([
    { key: 'a', priority: 0 },
    { key: 'b', priority: 0 },
  ]);
});

describe('priorities', () => {
  test('higher ones come first, and inside one it is first come, first served', async () => {
    const { queue } = setUp();
    queue.add('listed-1', { priority: lowPriority });
    queue.add('listed-2', { priority: lowPriority });
    queue.add('live-1');
    queue.add('urgent', { priority: 10 });
    queue.add('live-2');
    expect(await takeAll(queue)).toEqual(['urgent', 'live-1', 'live-2', 'listed-1', 'listed-2']);
  });

  test('a key that is added again with a higher one goes to the end of that level, and never falls back', async () => {
    const { queue } = setUp();
    queue.add('a', { priority: lowPriority });
    queue.add('b');
    queue.add('a');
    queue.add('a', { priority: lowPriority });
    queue.add('c');
    expect(await takeAll(queue)).toEqual(['b', 'a', 'c']);
  });

  test('a worker is told which one the key had', async () => {
    const { queue } = setUp();
    queue.add('a', { priority: lowPriority });
    expect(await queue.get()).toEqual({ key: 'a', priority: lowPriority });
  });

  test('a delayed key keeps the highest that it was added with', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100, { priority: 5 });
    queue.addAfter('a', 50, { priority: lowPriority });
    queue.addAfter('b', 50, { priority: 1 });
    clock.turn(50);
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });

  test('one that is raised while the key is worked on counts afterwards', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.get();
    queue.add('a', { priority: lowPriority });
    queue.add('b');
    queue.add('a', { priority: 1 });
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });
});

describe('delays', () => {
  test('a key is ready when its time has come, and not before', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    clock.turn(99);
    expect(queue.size).toBe(0);
    clock.turn(1);
    expect(await takeAll(queue)).toEqual(['a']);
  });

  test('of several times the earliest counts', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    queue.addAfter('a', 1000);
    queue.addAfter('b', 1000);
    queue.addAfter('b', 100);
    queue.addAfter('c', 1000);
    clock.turn(100);
    expect(await takeAll(queue)).toEqual(['a', 'b']);
  });

  test('a key that is added without a delay is ready at once, and not a second time later', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    queue.add('a');
    expect(await takeAll(queue)).toEqual(['a']);
    queue.done('a');
    clock.turn(200);
    expect(queue.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('a delay changes nothing for a key that is ready', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.addAfter('a', 100);
    expect(await takeAll(queue)).toEqual(['a']);
    queue.done('a');
    clock.turn(200);
    expect(queue.size).toBe(0);
  });

  test('a key that becomes ready while it is worked on waits until that is done', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    await queue.get();
    queue.addAfter('a', 100);
    clock.turn(100);
    expect(queue.size).toBe(1);
    queue.done('a');
    expect(await queue.get()).toEqual({ key: 'a', priority: 0 });
  });

  test('many delayed keys come in the order of their times', async () => {
    const { clock, queue } = setUp();
    const delays = Array.from({ length: 500 }, (_, index) => ((index * 7919) % 500) + 1);
    for (const delayMs of delays) queue.addAfter(String(delayMs), delayMs);
    clock.turn(500);
    expect(await takeAll(queue)).toEqual(delays.toSorted((a, b) => a - b).map(String));
  });
});

describe('retries', () => {
  test('each failure of a key doubles its wait, up to five minutes, and a success starts again', async () => {
    const { clock, queue } = setUp();
    const waits: number[] = [];
    const fail = async (): Promise<void> => {
      const startMs = clock.monotonic();
      queue.addRateLimited('a');
      while (queue.size === 0) clock.turn(5);
      waits.push(clock.monotonic() - startMs);
      await queue.get();
      queue.done('a');
    };
    for (let time = 0; time < 18; time += 1) await fail();
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits.slice(-2)).toEqual([300_000, 300_000]);
    expect(queue.retries('a')).toBe(18);
    expect(queue.retries('b')).toBe(0);
    queue.forget('a');
    expect(queue.retries('a')).toBe(0);
    await fail();
    expect(waits.at(-1)).toBe(5);
  });

  test('a wait is no shorter than what the server asks for', () => {
    const { clock, queue } = setUp();
    queue.addRateLimited('a', { leastMs: 3000 });
    clock.turn(2999);
    expect(queue.size).toBe(0);
    clock.turn(1);
    expect(queue.size).toBe(1);
  });
});

describe('when the queue is shut down', () => {
  test('workers that wait, and those that come, get nothing, whatever is ready', async () => {
    const { queue } = setUp();
    const waiting = queue.get();
    queue.shutDown();
    queue.add('a');
    expect(await waiting).toBeUndefined();
    expect(await queue.get()).toBeUndefined();
    expect(queue.size).toBe(0);

    const { queue: other } = setUp();
    other.add('a');
    other.shutDown();
    expect(await other.get()).toBeUndefined();
  });

  test('delayed keys never come, and no timer is left', () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 100);
    queue.shutDown();
    expect(clock.pending).toBe(0);
    queue.addRateLimited('b');
    expect(clock.pending).toBe(0);
  });

  test('it is drained when the last worker is done', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    await takeAll(queue);
    queue.add('a');
    queue.shutDown();
    let isDrained = false;
    void queue.drained().then(() => (isDrained = true));
    queue.done('a');
    await settled();
    expect(isDrained).toBe(false);
    queue.done('b');
    await settled();
    expect(isDrained).toBe(true);
    await queue.drained();
  });
});

describe('what is measured', () => {
  test('adds and depth are counted when a key becomes ready, waits and work by the clock', async () => {
    const { clock, queue, heard } = setUp();
    queue.addAfter('a', 100, { priority: lowPriority });
    expect(heard.splice(0)).toEqual([['retried']]);
    clock.turn(100);
    expect(heard.splice(0)).toEqual([
      ['added', lowPriority],
      ['depth', lowPriority, 1],
    ]);
    clock.turn(30);
    queue.add('a');
    expect(heard.splice(0)).toEqual([
      ['depth', lowPriority, 0],
      ['depth', 0, 1],
    ]);
    await queue.get();
    expect(heard.splice(0)).toEqual([
      ['depth', 0, 0],
      ['taken', 30],
    ]);
    clock.turn(7);
    queue.done('a');
    queue.done('a');
    expect(heard.splice(0)).toEqual([['done', 7]]);
  });

  test('a key whose last run is not done counts as waiting', async () => {
    const { clock, queue, heard } = setUp();
    queue.add('a');
    await queue.get();
    heard.length = 0;
    queue.add('a');
    queue.add('a');
    expect(queue.size).toBe(1);
    clock.turn(5);
    queue.done('a');
    await queue.get();
    expect(heard).toEqual([
      ['added', 0],
      ['depth', 0, 1],
      ['done', 5],
      ['depth', 0, 0],
      ['taken', 5],
    ]);
  });

  test('work that is not finished, and the slowest of it', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.add('b');
    await queue.get();
    clock.turn(10);
    await queue.get();
    clock.turn(5);
    expect(queue.unfinishedMs()).toBe(20);
    expect(queue.longestRunningMs()).toBe(15);
    queue.done('a');
    expect(queue.unfinishedMs()).toBe(5);
    queue.done('b');
    expect(queue.longestRunningMs()).toBe(0);
  });

  test('nothing is ready after a shutdown', () => {
    const { queue, heard } = setUp();
    queue.add('a');
    queue.add('b', { priority: 1 });
    heard.length = 0;
    queue.shutDown();
    expect(heard).toEqual([
      ['depth', 0, 0],
      ['depth', 1, 0],
    ]);
  });
});
