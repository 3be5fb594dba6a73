// What this proxy knows to be disabled: the only thing that the request path reads, local and synchronous. Merges its own
// findings with news from a store; must not know what kind of store that is.

import type { Clock, Timer } from '../canonical/clock.ts';
import { disabledUntil, inForce, withClear, withEntry, withoutEnded } from './disable-merge.ts';
import {
  foreverMs,
  type DisableBook,
  type DisableCause,
  type DisableChange,
  type DisableEntry,
  type SharedNews,
  type StateLog,
  type StatePeer,
  type StateStore,
  type TargetId,
} from './store.ts';
import { TargetRecord } from './target-record.ts';

/** What a disable book is made of. */
export interface DisableBookOptions {
  readonly clock: Clock;
  readonly store: StateStore;
  /** Names this process in the entries it makes. */
  readonly proxyId: string;
  readonly log: StateLog;
  /**
   * After this long a trial that was never settled counts as failed, so that a bug or a lost request cannot lock its
   * target for ever. The default is the default of `totalSeconds`: no attempt lasts longer.
   */
  readonly trialMaxMs?: number;
  /** Records kept at most. The default is ten times the backends and keys of the largest configuration we test. */
  readonly targetsMax?: number;
}

/** No two looks for ended entries closer than this: bounds their cost to a pass over all records per gap. */
const sweepGapMs = 50;
/** The longest time between two looks: what may be forgotten is forgotten a minute late at most. */
const sweepMaxMs = 60_000;

/** An empty book, attached to its store. */
export function createDisableBook(options: DisableBookOptions): DisableBook {
  const book = new LocalDisableBook(options);
  options.store.attach(book);
  return book;
}

class LocalDisableBook implements DisableBook, StatePeer {
  /** Its own map, never a cache that evicts: what is in force is never given up for something newer. */
  readonly #records = new Map<TargetId, TargetRecord>();
  readonly #listeners: ((change: DisableChange) => void)[] = [];
  readonly #clock: Clock;
  readonly #store: StateStore;
  readonly #log: StateLog;
  readonly #proxyId: string;
  /** Different in every process, even if a restarted one has the name of its predecessor. */
  readonly #idPrefix: string;
  readonly #trialMaxMs: number;
  readonly #targetsMax: number;
  #made = 0;
  #isFull = false;
  #sweptMs = -Infinity;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor({ clock, store, proxyId, log, trialMaxMs = 600_000, targetsMax = 100_000 }: DisableBookOptions) {
    this.#clock = clock;
    this.#store = store;
    this.#log = log;
    this.#proxyId = proxyId;
    this.#idPrefix = `${proxyId}.${clock.now().toString(36)}.`;
    this.#trialMaxMs = trialMaxMs;
    this.#targetsMax = targetsMax;
  }

  find(target: TargetId): DisableEntry | undefined {
    const record = this.#records.get(target);
    if (record === undefined) return undefined;
    const nowMs = this.#clock.now();
    return inForce(record.facts.hard, nowMs) ?? inForce(record.facts.soft, nowMs);
  }

  until(target: TargetId): number {
    const record = this.#records.get(target);
    return record === undefined ? 0 : disabledUntil(record.facts, this.#clock.now());
  }

  claim(target: TargetId): boolean {
    const record = this.#records.get(target);
    return record === undefined || record.claim(this.#clock.now(), this.#trialMaxMs);
  }

  settleTrial(target: TargetId, succeeded: boolean, begunMs: number): void {
    this.#records.get(target)?.settleTrial(succeeded, begunMs);
  }

  isTrial(target: TargetId, begunMs: number): boolean {
    return this.#records.get(target)?.isTrial(begunMs, this.#clock.now(), this.#trialMaxMs) ?? false;
  }

  repeats(target: TargetId): number {
    return this.#records.get(target)?.repeats(this.#clock.now()) ?? 0;
  }

  disable(target: TargetId, { untilMs, reason, hard }: DisableCause): DisableEntry {
    const nowMs = this.#clock.now();
    const entry: DisableEntry = {
      id: `${this.#idPrefix}${(this.#made++).toString(36)}`,
      target,
      hard,
      reason,
      sinceMs: nowMs,
      untilMs: Math.min(Math.ceil(untilMs), foreverMs),
      by: this.#proxyId,
      generation: this.#records.get(target)?.facts.generation ?? 0,
    };
    if (!this.#learnEntry(entry, nowMs)) return inForce(this.#held(entry), nowMs) ?? entry;
    this.#store.share(entry);
    return entry;
  }

  clear(target: TargetId): void {
    const known = this.#records.get(target)?.facts.generation ?? 0;
    const generation = Math.max(Math.floor(this.#store.time()), known + 1);
    this.#learnClear(target, generation, this.#clock.now());
    this.#store.shareClear({ target, generation });
  }

  list(): readonly DisableEntry[] {
    const nowMs = this.#clock.now();
    const entries: DisableEntry[] = [];
    for (const { facts } of this.#records.values()) {
      for (const entry of [facts.hard, facts.soft]) {
        if (entry !== undefined && entry.untilMs > nowMs) entries.push(entry);
      }
    }
    return entries;
  }

  onChange(listener: (change: DisableChange) => void): void {
    this.#listeners.push(listener);
  }

  hear(news: SharedNews): void {
    const nowMs = this.#clock.now();
    if (news.type === 'disable') this.#learnEntry(news.entry, nowMs);
    else this.#learnClear(news.clear.target, news.clear.generation, nowMs);
  }

  *facts(): Iterable<SharedNews> {
    for (const [target, { facts }] of this.#records) {
      if (facts.generation > 0) yield { type: 'clear', clear: { target, generation: facts.generation } };
    }
    for (const entry of this.list()) yield { type: 'disable', entry };
  }

  /** True if the entry is in force now and was not before. */
  #learnEntry(entry: DisableEntry, nowMs: number): boolean {
    // Also refuses what has no comparable end.
    if (!(entry.untilMs > nowMs)) return false;
    const record = this.#record(entry.target, nowMs);
    if (record === undefined) return false;
    const changed = record.learn(withEntry(withoutEnded(record.facts, nowMs), entry), nowMs);
    if (!changed) return false;
    this.#arm(record.soonestEnd(), nowMs);
    this.#report(entry.target);
    return this.#held(entry) === entry;
  }

  #learnClear(target: TargetId, generation: number, nowMs: number): void {
    const record = this.#record(target, nowMs);
    if (record?.learn(withClear(record.facts, generation), nowMs)) this.#report(target);
  }

  #held(entry: DisableEntry): DisableEntry | undefined {
    const facts = this.#records.get(entry.target)?.facts;
    return entry.hard ? facts?.hard : facts?.soft;
  }

  #record(target: TargetId, nowMs: number): TargetRecord | undefined {
    const known = this.#records.get(target);
    if (known !== undefined) return known;
    if (this.#records.size >= this.#targetsMax && !this.#makeRoom(nowMs)) return undefined;
    const record = new TargetRecord();
    this.#records.set(target, record);
    this.#arm(nowMs + sweepMaxMs, nowMs);
    return record;
  }

  /** Gives up what is not in force. What is stays: a newcomer is refused, and costs a failed attempt each time. */
  #makeRoom(nowMs: number): boolean {
    if (nowMs - this.#sweptMs < 1000) return false;
    this.#sweep();
    for (const [target, { facts }] of this.#records) {
      if (facts.hard === undefined && facts.soft === undefined) this.#records.delete(target);
    }
    const isFull = this.#records.size >= this.#targetsMax;
    if (isFull && !this.#isFull) {
      this.#log.warn({ targets: this.#records.size }, 'too many disabled targets: further ones are not remembered');
    }
    this.#isFull = isFull;
    return !isFull;
  }

  /** Reports what has ended and forgets what is old. Nothing depends on its being on time: readers ask the clock. */
  #sweep(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    const storeMs = this.#store.time();
    this.#sweptMs = nowMs;
    let next = nowMs + sweepMaxMs;
    for (const [target, record] of this.#records) {
      const facts = withoutEnded(record.facts, nowMs);
      if (facts !== record.facts) {
        record.settle(facts);
        this.#report(target);
      }
      if (record.isForgettable(nowMs, storeMs)) this.#records.delete(target);
      else next = Math.min(next, record.soonestEnd());
    }
    if (this.#records.size > 0) this.#arm(Math.max(next, nowMs + sweepGapMs), nowMs);
  }

  #arm(atMs: number, nowMs: number): void {
    const due = Math.max(atMs, this.#sweptMs + sweepGapMs);
    if (this.#timer !== undefined && this.#timer.atMs <= due) return;
    this.#timer?.timer.cancel();
    const delayMs = Math.min(Math.max(0, due - nowMs), sweepMaxMs);
    this.#timer = { atMs: due, timer: this.#clock.setTimer(delayMs, () => this.#sweep()) };
  }

  #report(target: TargetId): void {
    const change = { target, entry: this.find(target) };
    for (const listener of this.#listeners) listener(change);
  }
}
