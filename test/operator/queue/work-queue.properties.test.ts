// Random lives of a queue beside a model of it that is as plain as can be.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWorkQueue, type QueueItem, type WorkQueue } from '../../../operator/queue/work-queue.ts';
import { settled } from '../../support/clock.ts';
import { TurnedClock } from './turned-clock.ts';

type Step =
  | { readonly do: 'add'; readonly key: string; readonly delayMs: number; readonly priority: number }
  | { readonly do: 'take' }
  | { readonly do: 'done'; readonly which: number }
  | { readonly do: 'turn'; readonly byMs: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      delayMs: fc.constantFrom(0, 0, 0, 1, 5, 20),
      priority: fc.constantFrom(-100, 0, 0, 7),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('done' as const), which: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const), byMs: fc.integer({ min: 1, max: 10 }) }) },
);

/** A key that waits; `order` says when it came to its level. */
interface Waiting {
  priority: number;
  readyAtMs: number;
  order: number;
}

/** What the queue must do, said once more without any structure: every question looks at everything. */
class Model {
  readonly waiting = new Map<string, Waiting>();
  readonly processing = new Set<string>();
  #orders = 0;

  add(key: string, readyAtMs: number, priority: number, nowMs: number): void {
    const before = this.waiting.get(key);
    if (before === undefined) {
      this.waiting.set(key, { priority, readyAtMs, order: this.#orders++ });
      return;
    }
    const wasReady = before.readyAtMs <= nowMs;
    const raised = priority > before.priority;
    before.priority = Math.max(before.priority, priority);
    const sooner = readyAtMs < before.readyAtMs;
    before.readyAtMs = Math.min(before.readyAtMs, readyAtMs);
    // It is new to its level when it was raised to it, or new to its time.
    if (wasReady ? raised : sooner) before.order = this.#orders++;
  }

  /** Becoming ready is in the order of time: called for every moment. */
  pass(nowMs: number): void {
    const due = this.waiting.values().filter(({ readyAtMs }) => readyAtMs === nowMs);
    for (const item of [...due].toSorted((one, other) => one.order - other.order)) item.order = this.#orders++;
  }

  /** The keys in the order in which workers would get them. */
  ready(nowMs: number): string[] {
    return [...this.waiting]
      .filter(([key, { readyAtMs }]) => readyAtMs <= nowMs && !this.processing.has(key))
      .toSorted(([, one], [, other]) => other.priority - one.priority || one.order - other.order)
      .map(([key]) => key);
  }

  done(key: string, nowMs: number): void {
    this.processing.delete(key);
    // What was added in the meantime queues up now.
    const again = this.waiting.get(key);
    if (again !== undefined && again.readyAtMs <= nowMs) again.order = this.#orders++;
  }
}

/** Several workers of one queue. */
class Workers {
  readonly items: QueueItem[] = [];
  idle = 0;
  readonly #queue: WorkQueue;

  constructor(queue: WorkQueue) {
    this.#queue = queue;
  }

  async take(): Promise<void> {
    this.idle += 1;
    const item = await this.#queue.get();
    this.idle -= 1;
    if (item !== undefined) this.items.push(item);
  }
}

function live(it: Step, on: { clock: TurnedClock; queue: WorkQueue; model: Model; workers: Workers }): void {
  const { clock, queue, model, workers } = on;
  switch (it.do) {
    case 'add':
      queue.addAfter(it.key, it.delayMs, { priority: it.priority });
      model.add(it.key, clock.monotonic() + it.delayMs, it.priority, clock.monotonic());
      break;
    case 'take':
      void workers.take();
      break;
    case 'done': {
      const [item] = workers.items.splice(it.which % Math.max(1, workers.items.length), 1);
      if (item === undefined) return;
      queue.done(item.key);
      model.done(item.key, clock.monotonic());
      break;
    }
    case 'turn':
      clock.turn(1);
      model.pass(clock.monotonic());
      break;
  }
}

test('no key is lost, none is with two workers, and they come in the order of priority and time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new TurnedClock();
      const queue = createWorkQueue({ clock });
      const model = new Model();
      const workers = new Workers(queue);

      /** Gives the model's workers what the queue's have got by now, and compares. */
      const compare = async (): Promise<void> => {
        await settled();
        for (const { key, priority } of workers.items) {
          if (model.processing.has(key)) continue;
          expect(key).toBe(model.ready(clock.monotonic())[0]);
          expect(priority).toBe(model.waiting.get(key)?.priority);
          model.waiting.delete(key);
          model.processing.add(key);
        }
        const keys = workers.items.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.toSorted()).toEqual([...model.processing].toSorted());
        // Nobody waits while there is something to do.
        const ready = model.ready(clock.monotonic());
        expect(Math.min(workers.idle, ready.length)).toBe(0);
        const parked = [...model.processing].filter(
          (key) => (model.waiting.get(key)?.readyAtMs ?? Infinity) <= clock.monotonic(),
        );
        expect(queue.size).toBe(ready.length + parked.length);
      };

      const moments = steps.flatMap((it): Step[] =>
        it.do === 'turn' ? Array.from({ length: it.byMs }, () => ({ do: 'turn', byMs: 1 })) : [it],
      );
      for (const it of moments) {
        live(it, { clock, queue, model, workers });
        await compare();
      }

      // Whatever was added comes in the end.
      for (let ms = 0; ms < 200 && workers.items.length + model.waiting.size > 0; ms += 1) {
        live({ do: 'done', which: 0 }, { clock, queue, model, workers });
        await compare();
        if (workers.idle === 0) live({ do: 'take' }, { clock, queue, model, workers });
        await compare();
        live({ do: 'turn', byMs: 1 }, { clock, queue, model, workers });
        await compare();
      }
      expect(model.waiting.size).toBe(0);
      expect(queue.size).toBe(0);
      expect(clock.pending).toBe(0);

      queue.shutDown();
      await settled();
      expect(workers.idle).toBe(0);
    }),
    { numRuns: 1500 },
  );
});
