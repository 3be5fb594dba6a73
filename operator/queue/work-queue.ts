// Keys that wait to be reconciled: client-go's work queue with the priorities of controller-runtime. However often a key
// is added it is there once, and never with two workers; added while it is being worked on, it comes again afterwards.

import type { Clock, Timer } from '../clock.ts';
import { DelayedSet } from './delayed-set.ts';
import { PriorityLevels } from './priority-levels.ts';
import { createRateLimiter } from './rate-limiter.ts';

/** What the first list and resyncs are added with, so that live changes overtake them when the operator starts. */
export const lowPriority = -100;

/** How a key is added. */
export interface AddOptions {
  /** Higher first; 0 where left out. A key that is there already keeps the higher of the two. */
  readonly priority?: number;
}

/** A key in the hands of a worker. */
export interface QueueItem {
  readonly key: string;
  /** A retry is added with the same. */
  readonly priority: number;
}

/** Hears what a queue does, for metrics. Must not throw. */
export interface QueueObserver {
  /** A key became ready: at once, or after its delay. */
  added(priority: number): void;
  /** So many keys of this priority are ready. Those whose last run is not done count too. */
  depthChanged(priority: number, depth: number): void;
  /** A worker took a key that had been ready for so long. */
  taken(waitedMs: number): void;
  /** A worker was done with a key after so long. */
  done(workedMs: number): void;
  /** A key was added with a delay. */
  retried(): void;
}

/** A queue of keys. */
export interface WorkQueue {
  add(key: string, options?: AddOptions): void;
  /** Adds it when so much time has passed. Of several times the earliest counts. */
  addAfter(key: string, delayMs: number, options?: AddOptions): void;
  /** Adds a key that failed after a wait that doubles each time, and is no shorter than `leastMs`. */
  addRateLimited(key: string, options?: AddOptions & { readonly leastMs?: number | undefined }): void;
  /** The key succeeded: its waits start from the beginning. */
  forget(key: string): void;
  /** Failures of the key since it was last forgotten. */
  retries(key: string): number;
  /** The next key, when there is one; undefined as soon as the queue is shut down. `done` must follow. */
  get(): Promise<QueueItem | undefined>;
  done(key: string): void;
  /** Gives out nothing and takes nothing any more. What is ready is forgotten: whoever starts next lists everything anyway. */
  shutDown(): void;
  /** Resolves when no key is in the hands of a worker. */
  drained(): Promise<void>;
  /** Keys that are ready. */
  readonly size: number;
  /** For how long the keys that are being worked on have been so, together. */
  unfinishedMs(): number;
  /** For how long the slowest worker has had its key. */
  longestRunningMs(): number;
}

/** An empty queue. */
export function createWorkQueue(options: {
  readonly clock: Clock;
  readonly observer?: QueueObserver | undefined;
}): WorkQueue {
  return new PriorityWorkQueue(options);
}

/** Where a key is that waits. Besides, it may be in the hands of a worker. */
type Waiting = Delayed | Ready;

interface Delayed {
  readonly type: 'delayed';
  readonly priority: number;
  readonly readyAtMs: number;
}

interface Ready {
  readonly type: 'ready';
  readonly priority: number;
  readonly sinceMs: number;
}

class PriorityWorkQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver | undefined;
  readonly #rateLimiter = createRateLimiter();
  readonly #waiting = new Map<string, Waiting>();
  /** Keys whose waiting is 'delayed'. */
  readonly #delayed = new DelayedSet();
  /** Keys whose waiting is 'ready' and that no worker has: those that may be given out. */
  readonly #levels = new PriorityLevels();
  /** Keys that workers have, and since when. */
  readonly #processing = new Map<string, number>();
  readonly #depths = new Map<number, number>();
  /** Workers that wait. If there are any, nothing may be given out. */
  #idle: ((item: QueueItem | undefined) => void)[] = [];
  #drainWaiters: (() => void)[] = [];
  #timer: Timer | undefined;
  #shutDown = false;

  constructor({ clock, observer }: { readonly clock: Clock; readonly observer?: QueueObserver | undefined }) {
    this.#clock = clock;
    this.#observer = observer;
  }

  add(key: string, options?: AddOptions): void {
    this.addAfter(key, 0, options);
  }

  addRateLimited(
    key: string,
    { leastMs = 0, ...options }: AddOptions & { readonly leastMs?: number | undefined } = {},
  ): void {
    this.addAfter(key, Math.max(this.#rateLimiter.next(key), leastMs), options);
  }

  addAfter(key: string, delayMs: number, { priority: asked = 0 }: AddOptions = {}): void {
    if (this.#shutDown) return;
    if (delayMs > 0) this.#observer?.retried();
    const before = this.#waiting.get(key);
    const priority = before === undefined ? asked : Math.max(asked, before.priority);
    if (before?.type === 'ready') return this.#raise(key, before, priority);
    if (delayMs > 0) {
      this.#delay(key, before, { type: 'delayed', priority, readyAtMs: this.#clock.monotonic() + delayMs });
    } else {
      if (before !== undefined) this.#delayed.delete(key);
      this.#becomeReady(key, priority);
      this.#serve();
    }
    this.#arm();
  }

  forget(key: string): void {
    this.#rateLimiter.forget(key);
  }

  retries(key: string): number {
    return this.#rateLimiter.retries(key);
  }

  get(): Promise<QueueItem | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    const key = this.#levels.take();
    if (key !== undefined) return Promise.resolve(this.#giveOut(key));
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  done(key: string): void {
    const sinceMs = this.#processing.get(key);
    if (sinceMs === undefined) return;
    this.#processing.delete(key);
    this.#observer?.done(this.#clock.monotonic() - sinceMs);
    const waiting = this.#waiting.get(key);
    if (waiting?.type === 'ready') this.#levels.add(key, waiting.priority);
    this.#serve();
    if (this.#processing.size === 0) for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }

  shutDown(): void {
    this.#shutDown = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#delayed.clear();
    this.#levels.clear();
    for (const priority of this.#depths.keys()) this.#deepen(priority, -(this.#depths.get(priority) ?? 0));
    for (const resolve of this.#idle.splice(0)) resolve(undefined);
  }

  drained(): Promise<void> {
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  get size(): number {
    return this.#depths.values().reduce((sum, depth) => sum + depth, 0);
  }

  unfinishedMs(): number {
    const nowMs = this.#clock.monotonic();
    return this.#processing.values().reduce((sum, sinceMs) => sum + (nowMs - sinceMs), 0);
  }

  longestRunningMs(): number {
    const nowMs = this.#clock.monotonic();
    return this.#processing.values().reduce((longest, sinceMs) => Math.max(longest, nowMs - sinceMs), 0);
  }

  /** A key of a higher priority goes to the end of that level: it has waited there for no time yet. */
  #raise(key: string, before: Ready, priority: number): void {
    if (priority === before.priority) return;
    this.#waiting.set(key, { ...before, priority });
    this.#deepen(before.priority, -1);
    this.#deepen(priority, 1);
    if (this.#processing.has(key)) return;
    this.#levels.delete(key, before.priority);
    this.#levels.add(key, priority);
  }

  /** A key that is delayed already keeps its place unless it is ready earlier now. */
  #delay(key: string, before: Delayed | undefined, delayed: Delayed): void {
    if (before !== undefined && before.readyAtMs <= delayed.readyAtMs) {
      this.#waiting.set(key, { ...before, priority: delayed.priority });
      return;
    }
    if (before !== undefined) this.#delayed.delete(key);
    this.#waiting.set(key, delayed);
    this.#delayed.add(key, delayed.readyAtMs);
  }

  #becomeReady(key: string, priority: number): void {
    this.#waiting.set(key, { type: 'ready', priority, sinceMs: this.#clock.monotonic() });
    this.#observer?.added(priority);
    this.#deepen(priority, 1);
    // While a worker has it, it waits for `done`.
    if (!this.#processing.has(key)) this.#levels.add(key, priority);
  }

  /** Gives workers that wait what there is. */
  #serve(): void {
    while (this.#idle.length > 0) {
      const key = this.#levels.take();
      if (key === undefined) return;
      this.#idle.shift()?.(this.#giveOut(key));
    }
  }

  #giveOut(key: string): QueueItem {
    const waiting = this.#waiting.get(key);
    if (waiting?.type !== 'ready') throw new Error(`${key} is given out, but not ready`);
    const nowMs = this.#clock.monotonic();
    this.#waiting.delete(key);
    this.#processing.set(key, nowMs);
    this.#deepen(waiting.priority, -1);
    this.#observer?.taken(nowMs - waiting.sinceMs);
    return { key, priority: waiting.priority };
  }

  /** Sets the timer for the first delayed key. */
  #arm(): void {
    this.#timer?.cancel();
    const { nextMs } = this.#delayed;
    if (nextMs === undefined) return;
    this.#timer = this.#clock.setTimer(Math.max(0, nextMs - this.#clock.monotonic()), () => {
      for (const key of this.#delayed.takeReady(this.#clock.monotonic())) {
        this.#becomeReady(key, this.#waiting.get(key)?.priority ?? 0);
      }
      // Not before all of them are: the last may be the most urgent.
      this.#serve();
      this.#arm();
    });
  }

  #deepen(priority: number, by: number): void {
    const depth = (this.#depths.get(priority) ?? 0) + by;
    if (depth === 0) this.#depths.delete(priority);
    else this.#depths.set(priority, depth);
    this.#observer?.depthChanged(priority, depth);
  }
}
