import { describe, expect, test } from 'vitest';
import { KubeError } from '../../../operator/kube/kube-error.ts';
import { type ControllerOptions, createController, type FinishedRun } from '../../../operator/queue/controller.ts';
import { TerminalError } from '../../../operator/queue/terminal-error.ts';
import { createWorkQueue, lowPriority } from '../../../operator/queue/work-queue.ts';
import { settled } from '../../support/clock.ts';
import { createKeptLog } from './kept-log.ts';
import { TurnedClock } from './turned-clock.ts';

function setUp(options: Partial<ControllerOptions> & Pick<ControllerOptions, 'reconcile'>) {
  const clock = new TurnedClock();
  const log = createKeptLog();
  const queue = createWorkQueue({ clock });
  const finished: FinishedRun[] = [];
  let active = 0;
  let runs = 0;
  const observer = {
    started: () => (active += 1),
    finished: (run: FinishedRun) => {
      active -= 1;
      finished.push(run);
    },
  };
  const newReconcileID = (): string => `run-${(runs += 1)}`;
  const controller = createController({
    name: 'gateway',
    queue,
    workers: 1,
    clock,
    log,
    observer,
    newReconcileID,
    ...options,
  });
  controller.start();
  return { clock, log, queue, controller, finished, active: () => active };
}

/** A reconcile that lasts until the test says so. */
function createLongReconcile() {
  const ends = new Map<string, () => void>();
  const signals: AbortSignal[] = [];
  return {
    signals,
    running: () => [...ends.keys()],
    end(key: string): void {
      ends.get(key)?.();
      ends.delete(key);
    },
    reconcile: (key: string, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signals.push(signal);
        ends.set(key, resolve);
      }),
  };
}

const conflict = new KubeError('PUT answered 409', { status: 409, reason: 'Conflict' });

describe('a run that succeeds', () => {
  test('is forgotten, and comes again only when its key is added', async () => {
    const keys: string[] = [];
    const { clock, queue, log, finished } = setUp({ reconcile: async (key) => void keys.push(key) });
    queue.add('a');
    await clock.run(60_000);
    expect(keys).toEqual(['a']);
    expect(queue.retries('a')).toBe(0);
    expect(finished).toEqual([{ result: 'success', durationMs: 0, terminal: false, timedOut: false }]);
    expect(log.lines.map(({ level }) => level)).toEqual(['debug']);
  });

  test('comes again after the time that it asks for, with its failures forgotten and its priority kept', async () => {
    const priorities: (number | undefined)[] = [];
    let runs = 0;
    const { clock, queue, finished } = setUp({
      reconcile: async () => {
        runs += 1;
        if (runs === 1) throw new Error('once');
        return { requeueAfterMs: 1000 };
      },
    });
    const get = queue.get.bind(queue);
    queue.get = async () => {
      const item = await get();
      priorities.push(item?.priority);
      return item;
    };
    queue.add('a', { priority: lowPriority });
    await clock.run(5);
    expect(finished.map(({ result }) => result)).toEqual(['error', 'requeue_after']);
    expect(queue.retries('a')).toBe(0);
    await clock.run(999);
    expect(runs).toBe(2);
    await clock.run(1);
    expect(runs).toBe(3);
    expect(new Set(priorities)).toEqual(new Set([lowPriority]));
  });
});

describe('a run that fails', () => {
  const failures: [string, () => Promise<void>][] = [
    ['rejects with an error', () => Promise.reject(new Error('no'))],
    [
      'throws before it returns a promise',
      () => {
        throw new TypeError('not a function');
      },
    ],
    ['rejects with something that is no error', () => Promise.reject(undefined)],
  ];
  test.each(failures)('that %s is tried again, each time later, and says so in one line', async (_name, reconcile) => {
    const { clock, queue, log, finished } = setUp({ reconcile });
    queue.add('a');
    await clock.run(5 + 10);
    expect(finished.map(({ result }) => result)).toEqual(['error', 'error', 'error']);
    expect(queue.retries('a')).toBe(3);
    expect(log.lines).toHaveLength(3);
    expect(log.lines[1]).toMatchObject({
      level: 'error',
      message: 'reconcile failed',
      controller: 'gateway',
      key: 'a',
      reconcileID: 'run-2',
    });
    expect(log.lines[1]).toHaveProperty('error');
  });

  test('does not keep other keys waiting', async () => {
    const keys: string[] = [];
    const { clock, queue } = setUp({
      reconcile: async (key) => {
        keys.push(key);
        if (key === 'bad') throw new Error('no');
      },
    });
    queue.add('bad');
    queue.add('good');
    await clock.run(0);
    expect(keys).toEqual(['bad', 'good']);
  });

  test('is not tried again when the failure is terminal, even as the cause of another', async () => {
    const { clock, queue, log, finished } = setUp({
      reconcile: async () => {
        throw new Error('cannot apply', { cause: new TerminalError('not in this life') });
      },
    });
    queue.add('a');
    await clock.run(600_000);
    expect(finished).toEqual([{ result: 'error', durationMs: 0, terminal: true, timedOut: false }]);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([['error', 'reconcile failed for good']]);
    expect(queue.retries('a')).toBe(0);
  });

  test('waits as long as the API server asks for, within reason', async () => {
    const asked = [3000, 24 * 3600_000];
    const times: number[] = [];
    const { clock, queue } = setUp({
      reconcile: async () => {
        times.push(clock.monotonic());
        const retryAfterMs = asked.shift();
        if (retryAfterMs === undefined) return;
        const cause = new KubeError('busy', { status: 429, reason: 'TooManyRequests', retryAfterMs });
        throw new Error('cannot apply', { cause });
      },
    });
    const startMs = clock.monotonic();
    queue.add('a');
    await clock.run(24 * 3600_000);
    expect(times.map((ms) => ms - startMs)).toEqual([0, 3000, 303_000]);
  });

  test('for a conflict is tried again without a word above debug', async () => {
    let runs = 0;
    const { clock, queue, log, finished } = setUp({
      reconcile: async () => {
        runs += 1;
        if (runs < 3) throw new Error('cannot apply', { cause: conflict });
      },
    });
    queue.add('a');
    await clock.run(1000);
    expect(finished.map(({ result }) => result)).toEqual(['error', 'error', 'success']);
    expect(new Set(log.lines.map(({ level }) => level))).toEqual(new Set(['debug']));
  });

  test('with a circle of causes is a failure like another', async () => {
    const error = new Error('round');
    error.cause = error;
    const { clock, queue, finished } = setUp({ reconcile: () => Promise.reject(error) });
    queue.add('a');
    await clock.run(0);
    expect(finished.map(({ result }) => result)).toEqual(['error']);
  });
});

describe('a run that takes too long', () => {
  test('has its signal aborted, and is counted as timed out if it fails', async () => {
    const { clock, queue, finished } = setUp({
      timeoutMs: 1000,
      reconcile: (_key, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    queue.add('a');
    await clock.run(999);
    expect(finished).toEqual([]);
    await clock.run(1);
    expect(finished).toEqual([{ result: 'error', durationMs: 1000, terminal: false, timedOut: true }]);
  });

  test('succeeds if it does so all the same, and leaves no timer behind', async () => {
    const long = createLongReconcile();
    const { clock, queue, finished } = setUp({ timeoutMs: 1000, reconcile: long.reconcile });
    queue.add('a');
    await clock.run(2000);
    expect(long.signals[0]?.aborted).toBe(true);
    long.end('a');
    await clock.run(0);
    expect(finished).toEqual([{ result: 'success', durationMs: 2000, terminal: false, timedOut: false }]);
    expect(clock.pending).toBe(0);
  });
});

test('as many keys are reconciled at once as there are workers, and never one key twice', async () => {
  const long = createLongReconcile();
  const { queue, active } = setUp({ workers: 2, reconcile: long.reconcile });
  for (const key of ['a', 'a', 'b', 'c']) queue.add(key);
  await settled();
  queue.add('a');
  await settled();
  expect(long.running()).toEqual(['a', 'b']);
  expect(active()).toBe(2);
  long.end('b');
  await settled();
  expect(long.running()).toEqual(['a', 'c']);
  long.end('a');
  await settled();
  expect(long.running()).toEqual(['c', 'a']);
});

test('lines that a reconcile writes carry its key and the ID of its run', async () => {
  const { queue, log } = setUp({
    reconcile: async (_key, _signal, runLog) => runLog.info({ revision: 7 }, 'published'),
  });
  queue.add('a');
  await settled();
  expect(log.lines[0]).toEqual({
    level: 'info',
    message: 'published',
    controller: 'gateway',
    key: 'a',
    reconcileID: 'run-1',
    revision: 7,
  });
});

describe('stopping', () => {
  test('waits for the runs that are under way and begins none', async () => {
    const long = createLongReconcile();
    const { clock, queue, controller, finished } = setUp({ workers: 2, reconcile: long.reconcile });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settled();
    let isStopped = false;
    void controller.stop().then(() => (isStopped = true));
    long.end('a');
    await settled();
    expect(isStopped).toBe(false);
    long.end('b');
    await settled();
    expect(isStopped).toBe(true);
    expect(finished.map(({ result }) => result)).toEqual(['success', 'success']);
    expect(long.signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(clock.pending).toBe(0);
  });

  test('aborts runs that outlast the grace, and still waits for them', async () => {
    const long = createLongReconcile();
    const { clock, queue, controller } = setUp({ reconcile: long.reconcile });
    queue.add('a');
    await settled();
    let isStopped = false;
    void controller.stop(3000).then(() => (isStopped = true));
    await clock.run(2999);
    expect(long.signals[0]?.aborted).toBe(false);
    await clock.run(1);
    expect(long.signals[0]?.aborted).toBe(true);
    expect(isStopped).toBe(false);
    long.end('a');
    await settled();
    expect(isStopped).toBe(true);
  });

  test('can be hurried', async () => {
    const long = createLongReconcile();
    const { clock, queue, controller } = setUp({ reconcile: long.reconcile });
    queue.add('a');
    await settled();
    const stopped = controller.stop();
    const hurried = controller.stop(0);
    await clock.run(0);
    expect(long.signals[0]?.aborted).toBe(true);
    long.end('a');
    await Promise.all([stopped, hurried]);
  });

  test('is at once when nothing is under way', async () => {
    const { controller } = setUp({ reconcile: async () => {} });
    const stopped = controller.stop().then(() => 'at once');
    expect(await Promise.race([stopped, settled().then(() => 'later')])).toBe('at once');
  });
});
