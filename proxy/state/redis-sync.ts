// Keeps the local side and Redis in step: reads what changed, reads everything when in doubt, and tells Redis what it
// has forgotten or missed. One read at a time; wishes that come meanwhile are one more read.

import type { Clock } from '../canonical/clock.ts';
import type { Breaker } from './breaker.ts';
import { messageOf } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';
import { commandTimeoutMs, type RedisLink } from './redis-link.ts';
import { isSeen, toCommand, toNews, toOutcome, toPage, toReadCommand, type Page } from './redis-wire.ts';
import type { StoreClock } from './store-clock.ts';
import type { SharedNews, StateLog, StatePeer } from './store.ts';

/** Keeps in step. */
export interface RedisSync {
  /** Reads what changed, soon. */
  changes(): void;
  /** A revision was announced: reads what changed if it is news. */
  announced(revision: string): void;
  /** Redis answered to something that was shared. */
  answered(reply: unknown, sentMs: number): void;
  /** Something was not shared: everything is compared at the next beat. */
  missed(): void;
  /** To be called every second: reads what changed, or everything if that is due. */
  beat(): void;
  /** Reads everything and tells what is missing, soon. */
  everything(): void;
  /** Living proxies at the last read, if there was one. */
  proxies(): number | undefined;
}

/** What it takes to keep in step. */
export interface RedisSyncOptions {
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly link: RedisLink;
  readonly breaker: Breaker;
  readonly keys: RedisKeys;
  readonly proxyId: string;
  readonly log: StateLog;
  readonly peer: () => StatePeer | undefined;
  /** Everything has been read, and what was missing told. */
  readonly onSynced: () => void;
  /** Redis answers but takes no writes. */
  readonly onRefused: (why: string) => void;
}

/** Catches what no other rule foresees (a failover that lost writes); also renews and tidies what is in Redis. */
const everythingMs = 60_000;
/** Facts told at once when Redis has forgotten them: keeps the command queue short. */
const tellAtOnce = 32;
/** One line a minute about each kind of nonsense, however much of it there is. */
const nonsenseLogMs = 60_000;

/** Starts with nothing read. */
export function createRedisSync(options: RedisSyncOptions): RedisSync {
  return new Sync(options);
}

class Sync implements RedisSync {
  readonly #options: RedisSyncOptions;
  #wanted: 'nothing' | 'changes' | 'everything' = 'nothing';
  #isRunning = false;
  #hasMissed = false;
  #after = '0';
  #epoch = '';
  #proxies: number | undefined;
  #everythingAtMs = -Infinity;
  #isRefused = false;
  #malformed = 0;
  readonly #loggedMs = new Map<string, number>();

  constructor(options: RedisSyncOptions) {
    this.#options = options;
  }

  changes(): void {
    if (this.#wanted === 'nothing') this.#wanted = 'changes';
    if (!this.#isRunning) void this.#run();
  }

  everything(): void {
    this.#wanted = 'everything';
    if (!this.#isRunning) void this.#run();
  }

  announced(revision: string): void {
    // Anyone may announce anything: it makes us look, and what we look at is checked.
    if (/^\d{1,16}$/.test(revision)) {
      if (Number(revision) > Number(this.#after)) this.changes();
    } else {
      this.#countMalformed();
    }
  }

  answered(reply: unknown, sentMs: number): void {
    const told = toOutcome(reply);
    // Late: it was long on its way, or one of the clocks was set. It is told again, by what the clocks say now.
    if (told === undefined || told.outcome === 'late') this.missed();
    if (told !== undefined) this.#options.storeClock.sample(told.nowMs, sentMs);
    // Void: Redis knows of a clear that this proxy has not heard of.
    if (told?.outcome === 'void') this.changes();
    if (told?.outcome === 'full') this.#logSeldom('Redis holds too many disables: further ones are not shared', {});
  }

  missed(): void {
    this.#hasMissed = true;
  }

  beat(): void {
    const isDue = this.#options.clock.now() - this.#everythingAtMs >= everythingMs;
    if (isDue || (this.#hasMissed && !this.#isRefused)) this.everything();
    else this.changes();
  }

  proxies(): number | undefined {
    return this.#proxies;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let wanted = this.#wanted;
    try {
      while (wanted !== 'nothing') {
        this.#wanted = 'nothing';
        if (wanted === 'everything') await this.#everything();
        else await this.#read(() => {});
        wanted = this.#wanted;
      }
    } catch (error) {
      // The next beat tries again. The link has told the breaker, which says so once; what else went wrong is said here.
      if (wanted === 'everything' || this.#wanted === 'everything') this.#hasMissed = true;
      if (!this.#options.breaker.isOpen) this.#logSeldom('reading from Redis failed', { error: messageOf(error) });
    } finally {
      this.#wanted = 'nothing';
      this.#isRunning = false;
    }
  }

  async #everything(): Promise<void> {
    this.#after = '0';
    this.#epoch = '';
    this.#hasMissed = false;
    const seen = new Map<string, string>();
    const canWrite = await this.#read(({ records }) => {
      for (const { name, id } of records) seen.set(name, id);
    });
    if (canWrite) await this.#tellMissing(seen);
    else this.#hasMissed = true;
    this.#everythingAtMs = this.#options.clock.now();
    this.#options.onSynced();
  }

  /** Reads all pages after the last revision known; whether Redis takes writes. */
  async #read(onPage: (page: Page) => void): Promise<boolean> {
    const { clock, link, keys, proxyId, storeClock } = this.#options;
    for (;;) {
      const sentMs = clock.now();
      const page = toPage(await link.probe(toReadCommand(keys, { after: this.#after, proxyId })));
      storeClock.sample(page.nowMs, sentMs);
      this.#judge(page, clock.now() - sentMs);
      // The answer may be about another Redis than the one that the revision was counted in.
      const isOther = this.#epoch !== '' && page.epoch !== this.#epoch;
      if (isOther || page.revision < Number(this.#after)) this.#wanted = 'everything';
      this.#epoch = page.epoch;
      this.#after = page.last;
      onPage(page);
      this.#hear(page);
      if (!page.isFull) return page.refused === '';
    }
  }

  #judge({ refused, proxies }: Page, tookMs: number): void {
    const { breaker, onRefused } = this.#options;
    const wasRefused = this.#isRefused;
    this.#isRefused = refused !== '';
    if (this.#isRefused) {
      const why = refused.slice(0, 200);
      breaker.trip(why);
      onRefused(why);
      return;
    }
    if (wasRefused && this.#hasMissed) this.#wanted = 'everything';
    this.#proxies = Math.max(1, proxies);
    // A Redis that is slow is read patiently, but nobody shall have to wait for it.
    if (tookMs <= commandTimeoutMs) breaker.close();
  }

  #hear({ records }: Page): void {
    const peer = this.#options.peer();
    for (const record of records) {
      const news = toNews(record, this.#options.storeClock);
      if (news === undefined) this.#countMalformed();
      else peer?.hear(news);
    }
  }

  /** Tells Redis what this proxy knows and has not seen there. */
  async #tellMissing(seen: ReadonlyMap<string, string>): Promise<void> {
    const missing = [...(this.#options.peer()?.facts() ?? [])].filter((news) => !isSeen(news, seen));
    for (let at = 0; at < missing.length && !this.#hasMissed; at += tellAtOnce) {
      await Promise.all(missing.slice(at, at + tellAtOnce).map((news) => this.#tell(news)));
    }
  }

  async #tell(news: SharedNews): Promise<void> {
    const { clock, storeClock, keys, link } = this.#options;
    const sentMs = clock.now();
    try {
      this.answered(await link.probe(toCommand(keys, news, sentMs, storeClock.now())), sentMs);
    } catch {
      this.missed();
    }
  }

  #countMalformed(): void {
    this.#malformed += 1;
    this.#logSeldom('ignored records or messages in Redis that make no sense', { malformed: this.#malformed });
  }

  #logSeldom(message: string, fields: Readonly<Record<string, unknown>>): void {
    const nowMs = this.#options.clock.now();
    if (nowMs - (this.#loggedMs.get(message) ?? -Infinity) < nonsenseLogMs) return;
    this.#loggedMs.set(message, nowMs);
    this.#options.log.warn(fields, message);
  }
}
