// Says on objects what happened to them, as Events. What happens again within a while becomes one Event with a count:
// client-go's series. Recording never fails and never waits; an Event is a courtesy, and its loss is only counted.

import type { Clock, Timer } from '../clock.ts';
import { type KubeClient, mergePatch } from '../kube/client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { collectionPath, type KubeObject, objectPath } from '../kube/object.ts';
import type { Log } from '../log.ts';
import { type EventReporter, eventType, type Happening, happeningKey, objectKey, toEvent, toSeries } from './event.ts';
import { type DropCause, EventSender } from './event-sender.ts';
import { createSpamFilter, type SpamFilter } from './spam-filter.ts';

/** What has not happened for so long is over: its last count is written, and the next time is a first one. */
const finishMs = 6 * 60_000;
/** A series that goes on is written at least so often: the API server deletes Events that do not change for an hour. */
const refreshMs = 30 * 60_000;
/** How often series are looked at for both. */
const sweepMs = 60_000;
/** Series that are followed; the one that is quiet for longest makes room. */
const seriesMax = 4096;
/** An Event that is not taken within this time is tried again. */
const sendTimeoutMs = 10_000;

/** What a recorder is made of. */
export interface EventRecorderOptions extends EventReporter {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Heard when an Event, or the count of a series, is not written. Must not throw. */
  readonly onDropped?: (cause: DropCause) => void;
}

/** Takes what happens. */
export interface EventRecorder {
  record(happening: Happening): void;
  /** Writes the counts of all series and resolves when nothing waits any more, or the recorder is stopped. Never rejects. */
  flush(): Promise<void>;
  /** Drops what waits and records nothing any more. */
  stop(): void;
}

/** A recorder that has heard of nothing. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new SeriesRecorder(options);
}

/** The same thing happening once or more. */
interface Series {
  readonly event: KubeObject;
  count: number;
  /** When it happened last, in Unix milliseconds. */
  lastUnixMs: number;
  /** The same by the monotonic clock. */
  lastMs: number;
  /** The count that the API server knows; 0: it has no Event yet. */
  writtenCount: number;
  writtenMs: number;
  /** The count that it knows when everything has been written that waits, or is on its way. */
  coveredCount: number;
}

class SeriesRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #filter: SpamFilter;
  readonly #sender: EventSender;
  /** By key; what happened last is last. */
  readonly #series = new Map<string, Series>();
  /** Two processes, or a process and the one before it, do not start from the same number. */
  #sequence: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#filter = createSpamFilter(options.clock);
    this.#sender = new EventSender(options);
    this.#sequence = Math.floor(options.random() * 1e6);
  }

  record(happening: Happening): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const key = happeningKey(happening);
    const known = this.#series.get(key);
    if (known !== undefined && clock.monotonic() - known.lastMs < finishMs) {
      this.#again(key, known);
      return;
    }
    if (known !== undefined) this.#finish(key, known);
    if (!this.#filter.admit(objectKey(happening.regarding))) {
      this.#options.onDropped?.('spam');
      return;
    }
    this.#begin(key, happening);
  }

  async flush(): Promise<void> {
    for (const [key, series] of this.#series) this.#writeCount(key, series);
    await this.#sender.idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#series.clear();
    this.#sender.stop();
  }

  #begin(key: string, happening: Happening): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const lastUnixMs = clock.now();
    this.#sequence = (this.#sequence + 1) % 1e6;
    const event = toEvent(happening, { reporter: this.#options, nowMs: lastUnixMs, sequence: this.#sequence });
    const series = { event, count: 1, lastUnixMs, lastMs: nowMs, writtenCount: 0, writtenMs: nowMs, coveredCount: 0 };
    this.#series.set(key, series);
    this.#writeCount(key, series);
    const [oldest] = this.#series;
    if (this.#series.size > seriesMax && oldest !== undefined) this.#finish(...oldest);
    this.#timer ??= clock.setTimer(sweepMs, () => this.#sweep());
  }

  /** The second time is written at once: whoever looks should see that it goes on. Later ones can wait. */
  #again(key: string, series: Series): void {
    const { clock } = this.#options;
    series.count += 1;
    series.lastUnixMs = clock.now();
    series.lastMs = clock.monotonic();
    this.#series.delete(key);
    this.#series.set(key, series);
    if (series.count === 2) this.#writeCount(key, series);
  }

  #finish(key: string, series: Series): void {
    this.#series.delete(key);
    this.#writeCount(key, series);
  }

  #sweep(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    for (const [key, series] of this.#series) {
      if (nowMs - series.lastMs >= finishMs) this.#finish(key, series);
      else if (nowMs - series.writtenMs >= refreshMs) this.#writeCount(key, series);
    }
    this.#timer = this.#series.size === 0 ? undefined : clock.setTimer(sweepMs, () => this.#sweep());
  }

  #writeCount(key: string, series: Series): void {
    if (series.count <= series.coveredCount) return;
    // The count is read when its turn has come, and at every try.
    series.coveredCount = Infinity;
    this.#sender.push({
      send: () => this.#write(series),
      drop: (cause) => {
        // What is dropped is dropped: the next time is a first one.
        series.writtenCount = Infinity;
        if (this.#series.get(key) === series) this.#series.delete(key);
        this.#options.onDropped?.(cause);
      },
    });
  }

  async #write(series: Series): Promise<void> {
    const { count } = series;
    if (count <= series.writtenCount) return;
    series.coveredCount = count;
    try {
      if (series.writtenCount === 0 || !(await this.#patch(series))) await this.#create(series);
    } catch (error) {
      series.coveredCount = Infinity;
      throw error;
    }
    series.writtenCount = count;
    series.writtenMs = this.#options.clock.monotonic();
  }

  /** False if the Event is gone: the API server deletes them after an hour. */
  async #patch({ event, count, lastUnixMs }: Series): Promise<boolean> {
    try {
      await this.#options.client.call({
        method: 'PATCH',
        path: objectPath(eventType, event.metadata),
        contentType: mergePatch,
        body: { series: toSeries(count, lastUnixMs) },
        timeoutMs: sendTimeoutMs,
        isAnybodys: true,
      });
      return true;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  async #create(series: Series): Promise<void> {
    const { event, count, lastUnixMs } = series;
    const body = count === 1 ? event : { ...event, series: toSeries(count, lastUnixMs) };
    try {
      const path = collectionPath(eventType, event.metadata.namespace);
      await this.#options.client.call({ method: 'POST', path, body, timeoutMs: sendTimeoutMs, isAnybodys: true });
    } catch (error) {
      // Written by an earlier try whose answer was lost.
      if (!isKubeError(error, 'AlreadyExists')) throw error;
      if (count > 1) await this.#patch(series);
    }
  }
}
