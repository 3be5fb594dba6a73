// A disable book under suspicion: everything that is told to it or asked of it goes through here, and is compared with
// what must be so by the rules alone. Knows the rules from failure.md, and nothing of how the book keeps them.

import type { Clock } from '../../../proxy/canonical/clock.ts';
import type { Lease } from '../../../proxy/state/lease.ts';
import type {
  ClearEntry,
  DisableBook,
  DisableCause,
  DisableChange,
  DisableEntry,
  SharedNews,
  StatePeer,
  StateStore,
  StoreHealth,
} from '../../../proxy/state/store.ts';
import type { Ledger } from './ledger.ts';

/** What must be so of one target. */
interface Expected {
  generation: number;
  hard: DisableEntry | undefined;
  soft: DisableEntry | undefined;
  /** The latest disable has ended and nobody has succeeded since: one at a time may try. */
  owes: boolean;
  /** By this proxy's clock: until when the target was last out, a trial that is owed included. */
  lastOutMs: number;
  /** Since when a trial is running. */
  trialMs: number | undefined;
  /** Trials so far. */
  trials: number;
}

/** What the rules say about all targets of one proxy. */
export class Expectations {
  readonly #clock: Clock;
  readonly #targets = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(target: string): Expected {
    let expected = this.#targets.get(target);
    if (expected === undefined) {
      expected = {
        generation: 0,
        hard: undefined,
        soft: undefined,
        owes: false,
        lastOutMs: 0,
        trialMs: undefined,
        trials: 0,
      };
      this.#targets.set(target, expected);
    }
    return expected;
  }

  until(target: string): number {
    const expected = this.#targets.get(target);
    if (expected === undefined) return 0;
    const nowMs = this.#clock.now();
    const ends = [expected.hard?.untilMs ?? 0, expected.soft?.untilMs ?? 0].filter((untilMs) => untilMs > nowMs);
    return ends.length === 0 ? 0 : Math.max(...ends);
  }

  isHard(target: string): boolean {
    return (this.#targets.get(target)?.hard?.untilMs ?? 0) > this.#clock.now();
  }

  /** Whether the target is, or has been since then, out or to be tried out. */
  wasOutSince(target: string, sinceMs: number): boolean {
    const expected = this.#targets.get(target);
    if (expected === undefined) return false;
    return expected.owes || this.until(target) > 0 || expected.lastOutMs >= sinceMs;
  }

  /** Everything in force. */
  *inForce(): Iterable<DisableEntry> {
    const nowMs = this.#clock.now();
    for (const { hard, soft } of this.#targets.values()) {
      if (hard !== undefined && hard.untilMs > nowMs) yield hard;
      if (soft !== undefined && soft.untilMs > nowMs) yield soft;
    }
  }

  learnEntry(entry: DisableEntry): void {
    const nowMs = this.#clock.now();
    if (!(entry.untilMs > nowMs)) return;
    const expected = this.of(entry.target);
    if (entry.generation < expected.generation) return;
    if (entry.generation > expected.generation) this.learnClear(entry);
    const held = entry.hard ? expected.hard : expected.soft;
    // Another copy of the same never lengthens it; nothing shortens it. Between equal ends the ids decide.
    if (held !== undefined && held.untilMs > nowMs) {
      if (held.id === entry.id || held.untilMs > entry.untilMs) return;
      if (held.untilMs === entry.untilMs && held.id > entry.id) return;
    }
    if (entry.hard) expected.hard = entry;
    else expected.soft = entry;
    expected.owes = true;
    expected.trialMs = undefined;
  }

  learnClear({ target, generation }: ClearEntry): void {
    const expected = this.of(target);
    if (generation <= expected.generation) return;
    if (this.until(target) > 0 || expected.owes) expected.lastOutMs = this.#clock.now();
    Object.assign(expected, { generation, hard: undefined, soft: undefined, owes: false, trialMs: undefined });
  }

  settled(target: string, succeeded: boolean, begunMs: number): void {
    const expected = this.of(target);
    if (expected.trialMs === undefined || begunMs < expected.trialMs) return;
    expected.trialMs = undefined;
    if (!succeeded) return;
    expected.owes = false;
    expected.lastOutMs = this.#clock.now();
  }
}

/** A book that is compared with what is expected at every step. */
export class WatchedBook implements DisableBook {
  readonly #book: DisableBook;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #expected: Expectations;
  readonly #name: string;

  constructor(book: DisableBook, expected: Expectations, clock: Clock, ledger: Ledger, name: string) {
    this.#book = book;
    this.#expected = expected;
    this.#clock = clock;
    this.#ledger = ledger;
    this.#name = name;
  }

  find(target: string): DisableEntry | undefined {
    const found = this.#book.find(target);
    this.#compare(target, found?.untilMs ?? 0, found?.hard);
    return found;
  }

  until(target: string): number {
    const until = this.#book.until(target);
    if (until !== this.#expected.until(target)) this.#differs(target, until);
    return until;
  }

  disable(target: string, cause: DisableCause): DisableEntry {
    const entry = this.#book.disable(target, cause);
    const { reason, hard, untilMs } = entry;
    this.#ledger.say(`${this.#name} disables ${target} ${hard ? 'hard' : 'softly'} for ${reason} until ${untilMs}`);
    this.#ledger.count(`disable ${reason}`);
    // Not if the news of it was void: what was cleared meanwhile is not disabled by what is older.
    if (cause.untilMs > this.#clock.now() && this.#book.until(target) < cause.untilMs) {
      this.#ledger.breach('I4', `${this.#name}: ${target} is not out until ${cause.untilMs}, as it was told to be`);
    }
    this.until(target);
    return entry;
  }

  clear(target: string): void {
    this.#book.clear(target);
    this.#ledger.say(`${this.#name} enables ${target}`);
    if (this.#book.until(target) !== 0) this.#ledger.breach('I4', `${this.#name}: ${target} is out after its clear`);
    this.until(target);
  }

  list(): readonly DisableEntry[] {
    return this.#book.list();
  }

  claim(target: string): boolean {
    const claimed = this.#book.claim(target);
    const expected = this.#expected.of(target);
    if (!claimed || !expected.owes || this.#expected.until(target) > 0) return claimed;
    if (expected.trialMs !== undefined) this.#ledger.breach('I3', `${this.#name}: two trials of ${target} at once`);
    expected.trialMs = this.#clock.now();
    expected.trials += 1;
    return claimed;
  }

  settleTrial(target: string, succeeded: boolean, begunMs: number): void {
    this.#book.settleTrial(target, succeeded, begunMs);
    this.#expected.settled(target, succeeded, begunMs);
  }

  isTrial(target: string, begunMs: number): boolean {
    return this.#book.isTrial(target, begunMs);
  }

  repeats(target: string): number {
    return this.#book.repeats(target);
  }

  onChange(listener: (change: DisableChange) => void): void {
    this.#book.onChange(listener);
  }

  #compare(target: string, untilMs: number, hard: boolean | undefined): void {
    if ((hard ?? false) !== this.#expected.isHard(target)) this.#differs(target, untilMs);
  }

  #differs(target: string, untilMs: number): void {
    const expected = this.#expected.until(target);
    const hard = this.#expected.isHard(target) ? ' hard' : '';
    this.#ledger.breach('I4', `${this.#name}: ${target} is out until ${untilMs}, but must be until ${expected}${hard}`);
  }
}

/** A store whose news are taken down on their way, in both directions. */
export class WatchedStore implements StateStore {
  readonly #store: StateStore;
  readonly #expected: Expectations;
  readonly #heard: (news: SharedNews, peer: StatePeer) => void;

  constructor(store: StateStore, expected: Expectations, heard: (news: SharedNews, peer: StatePeer) => void) {
    this.#store = store;
    this.#expected = expected;
    this.#heard = heard;
  }

  share(entry: DisableEntry): void {
    this.#expected.learnEntry(entry);
    this.#store.share(entry);
  }

  shareClear(clear: ClearEntry): void {
    this.#expected.learnClear(clear);
    this.#store.shareClear(clear);
  }

  attach(peer: StatePeer): void {
    this.#store.attach({
      facts: () => peer.facts(),
      hear: (news) => {
        peer.hear(news);
        if (news.type === 'disable') this.#expected.learnEntry(news.entry);
        else this.#expected.learnClear(news.clear);
        this.#heard(news, peer);
      },
    });
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#store.lease(name, ttlMs);
  }

  leaseFirst(names: readonly string[], ttlMs: number): Promise<Lease | undefined> {
    return this.#store.leaseFirst(names, ttlMs);
  }

  time(): number {
    return this.#store.time();
  }

  health(): StoreHealth {
    return this.#store.health();
  }

  start(timeoutMs: number): Promise<void> {
    return this.#store.start(timeoutMs);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
