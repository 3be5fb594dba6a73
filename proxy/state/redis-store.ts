// The store that carries disables between proxies through Redis. Redis is an optimisation: slow, frozen, gone, read-only
// or full, it costs the others news and the request path nothing. Puts the parts together and holds no facts itself.

import type { Clock, Timer } from '../canonical/clock.ts';
import { createBreaker, type Breaker } from './breaker.ts';
import { createRedisConnection, type RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
import type { Lease } from './lease.ts';
import { createRedisKeys, type RedisKeys } from './redis-keys.ts';
import { createRedisLeases, type RedisLeases } from './redis-leases.ts';
import { createRedisLink, type RedisLink } from './redis-link.ts';
import { createRedisSync, type RedisSync } from './redis-sync.ts';
import { leaveScript } from './redis-scripts.ts';
import { describeAddress, parseRedisUrl } from './redis-url.ts';
import { isShareable, toCommand } from './redis-wire.ts';
import { createStoreClock, type StoreClock } from './store-clock.ts';
import type { ClearEntry, DisableEntry, SharedNews, StateLog, StatePeer, StateStore, StoreHealth } from './store.ts';

/** What a Redis store is made of. */
export interface RedisStoreOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://HOST,HOST/MASTER`, `redis+cluster://HOST,HOST`. */
  readonly url: string;
  /** The gateway class: proxies of one class share what they know. */
  readonly className: string;
  /** Different for every proxy. */
  readonly proxyId: string;
  readonly clock: Clock;
  /** From 0 to 1: spreads reconnections. */
  readonly random: () => number;
  readonly log: StateLog;
  /** How many proxies there are, until Redis has told. */
  readonly replicas?: number;
  /** Makes the connections; ioredis unless said otherwise. */
  readonly connection?: (options: RedisConnectionOptions) => RedisConnection;
}

/** The backstop: news that was announced to nobody is read after this long. */
const beatMs = 1000;
/** Commands under way at most, about a megabyte while Redis is frozen; what comes on top is told by comparing. */
const underWayMax = 1024;

/** A store in Redis; nothing is connected before `start`. Throws if the URL is malformed. */
export function createRedisStore(options: RedisStoreOptions): StateStore {
  return new RedisStore(options);
}

class RedisStore implements StateStore {
  readonly #clock: Clock;
  readonly #log: StateLog;
  readonly #address: string;
  readonly #keys: RedisKeys;
  readonly #storeClock: StoreClock;
  readonly #connection: RedisConnection;
  readonly #breaker: Breaker;
  readonly #link: RedisLink;
  readonly #sync: RedisSync;
  readonly #leases: RedisLeases;
  readonly #replicas: number;
  readonly #proxyId: string;
  #peer: StatePeer | undefined;
  #beat: Timer | undefined;
  #underWay = 0;
  #state: 'new' | 'started' | 'closed' = 'new';
  #onSynced = (): void => {};

  constructor(options: RedisStoreOptions) {
    const { url, className, proxyId, clock, random, log, replicas = 1, connection = createRedisConnection } = options;
    const address = parseRedisUrl(url);
    this.#clock = clock;
    this.#log = log;
    this.#address = describeAddress(address);
    this.#keys = createRedisKeys(className);
    this.#replicas = replicas;
    this.#proxyId = proxyId;
    this.#storeClock = createStoreClock(clock);
    this.#breaker = createBreaker({ clock, detail: 'not connected yet', onChange: () => this.#logChange() });
    this.#connection = connection({
      address,
      channel: this.#keys.channel,
      clock,
      random,
      events: {
        onReady: () => this.#sync.everything(),
        onClosed: (detail) => this.#breaker.trip(detail),
        onSubscribed: () => this.#sync.changes(),
        onMessage: (message) => this.#sync.announced(message),
      },
    });
    this.#link = createRedisLink({ clock, connection: this.#connection, breaker: this.#breaker });
    const shared = { clock, storeClock: this.#storeClock, link: this.#link, keys: this.#keys, proxyId };
    this.#leases = createRedisLeases(shared);
    this.#sync = createRedisSync({
      ...shared,
      breaker: this.#breaker,
      log,
      peer: () => this.#peer,
      onSynced: () => this.#onSynced(),
      onRefused: (why) => {
        if (why.startsWith('READONLY')) this.#connection.reconnect(why);
      },
    });
  }

  share(entry: DisableEntry): void {
    this.#tell({ type: 'disable', entry });
  }

  shareClear(clear: ClearEntry): void {
    this.#tell({ type: 'clear', clear });
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#leases.lease(name, ttlMs);
  }

  leaseFirst(names: readonly string[], ttlMs: number): Promise<Lease | undefined> {
    return this.#leases.leaseFirst(names, ttlMs);
  }

  time(): number {
    return this.#storeClock.now();
  }

  attach(peer: StatePeer): void {
    this.#peer = peer;
  }

  health(): StoreHealth {
    const { isOpen, sinceMs, detail } = this.#breaker;
    const state = isOpen ? 'down' : 'ok';
    const text = detail === undefined ? this.#address : `${this.#address}: ${detail}`;
    return { kind: 'redis', state, sinceMs, proxies: this.#sync.proxies() ?? this.#replicas, detail: text };
  }

  start(timeoutMs: number): Promise<void> {
    if (this.#state !== 'new') return Promise.resolve();
    this.#state = 'started';
    return new Promise((resolve) => {
      const giveUp = this.#clock.setTimer(timeoutMs, () => {
        if (this.#breaker.isOpen) this.#logChange();
        resolve();
      });
      this.#onSynced = () => {
        this.#onSynced = () => {};
        giveUp.cancel();
        resolve();
      };
      this.#connection.connect();
      this.#armBeat();
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#beat?.cancel();
    this.#onSynced();
    await this.#leases.close();
    // Without this the others would count a proxy too many for a few seconds.
    const leave = { script: leaveScript, keys: [this.#keys.proxies], args: [this.#proxyId] };
    await this.#link.run(leave).catch(() => {});
    this.#connection.close();
  }

  #tell(news: SharedNews): void {
    const { target } = news.type === 'clear' ? news.clear : news.entry;
    if (this.#state !== 'started' || !isShareable({ target })) return;
    if (this.#breaker.isOpen || this.#underWay >= underWayMax) {
      this.#sync.missed();
      return;
    }
    const sentMs = this.#clock.now();
    this.#underWay += 1;
    this.#link
      .run(toCommand(this.#keys, news, sentMs, this.#storeClock.now()))
      .then(
        (reply) => this.#sync.answered(reply, sentMs),
        () => this.#sync.missed(),
      )
      .finally(() => {
        this.#underWay -= 1;
      });
  }

  #armBeat(): void {
    this.#beat = this.#clock.setTimer(beatMs, () => {
      if (this.#state === 'closed') return;
      this.#armBeat();
      this.#connection.tendSubscription();
      this.#sync.beat();
    });
  }

  #logChange(): void {
    if (this.#state === 'closed') return;
    const { isOpen, detail } = this.#breaker;
    if (isOpen) this.#log.warn({ redis: this.#address, reason: detail }, 'Redis is down: this proxy goes on alone');
    else this.#log.info({ redis: this.#address }, 'Redis works: disables are shared');
  }
}
