// Leases in Redis, by its clock; while Redis does not answer, against this process only. Every command carries what is left
// of the lease's time, so that one that a frozen Redis executes late gives away no more than was asked for.

import type { Clock } from '../canonical/clock.ts';
import { createLeaseTable, type HeldLease, type LeaseTable } from './lease-table.ts';
import type { Lease, Leases } from './lease.ts';
import type { RedisKeys } from './redis-keys.ts';
import { leaseScript, releaseScript } from './redis-lease-scripts.ts';
import type { RedisLink } from './redis-link.ts';
import type { StoreClock } from './store-clock.ts';

/** What Redis leases are made of. */
export interface RedisLeasesOptions {
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly link: RedisLink;
  readonly keys: RedisKeys;
  readonly proxyId: string;
}

/** Leases that are given up when they are closed. */
export interface RedisLeases extends Leases {
  /** Releases what this proxy holds; nothing is to be had afterwards. Never rejects. */
  close(): Promise<void>;
}

/** Longer names are not ours; they are leased within this process only. */
const nameMax = 1024;
/** Names asked for at once: more would keep Redis busy for a millisecond. */
const namesMax = 256;
/** Commands under way at most: what comes on top, while Redis hangs, is leased within this process at once. */
const underWayMax = 1024;

/** What Redis said: which one is ours, that all are taken, or nothing. */
type Answer = { readonly type: 'ours'; readonly name: string } | { readonly type: 'taken' | 'silent' };

/** Leases in Redis. */
export function createRedisLeases(options: RedisLeasesOptions): RedisLeases {
  return new LeasesInRedis(options);
}

class LeasesInRedis implements RedisLeases {
  readonly #clock: Clock;
  readonly #storeClock: StoreClock;
  readonly #link: RedisLink;
  readonly #keys: RedisKeys;
  readonly #table: LeaseTable;
  /** Different in every process, even if a restarted one has the name of its predecessor. */
  readonly #tokenPrefix: string;
  #made = 0;
  #underWay = 0;
  #isClosed = false;

  constructor({ clock, storeClock, link, keys, proxyId }: RedisLeasesOptions) {
    this.#clock = clock;
    this.#storeClock = storeClock;
    this.#link = link;
    this.#keys = keys;
    this.#table = createLeaseTable({ clock });
    this.#tokenPrefix = `${proxyId}.${clock.now().toString(36)}.`;
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    return this.leaseFirst([name], ttlMs);
  }

  async leaseFirst(names: readonly string[], ttlMs: number): Promise<Lease | undefined> {
    if (this.#isClosed) return undefined;
    const free = names.filter((name) => this.#table.isFree(name)).slice(0, namesMax);
    if (free.length === 0) return undefined;
    const token = `${this.#tokenPrefix}${(this.#made += 1).toString(36)}`;
    // Counted from here, as Redis does: both ends are the same moment, as far as the clocks are known.
    const untilMs = this.#clock.now() + ttlMs;
    const answer = await this.#ask(free, token, ttlMs);
    switch (answer.type) {
      case 'taken':
        return undefined;
      case 'ours':
        return this.#grant({ name: answer.name, token }, { untilMs, ttlMs, scope: 'fleet' });
      case 'silent': {
        const name = free.find((each) => this.#table.isFree(each));
        if (name === undefined) return undefined;
        // If Redis did hear, what it gave away under another name is given back.
        this.#giveBack(free.filter((each) => each !== name).map((each) => ({ name: each, token })));
        return this.#grant({ name, token }, { untilMs, ttlMs, scope: 'proxy' });
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const held = this.#table.list();
    for (const lease of held) this.#table.release(lease);
    const parts = Array.from({ length: Math.ceil(held.length / namesMax) }, (_, part) =>
      held.slice(part * namesMax, (part + 1) * namesMax),
    );
    await Promise.all(parts.map((part) => this.#tellReleased(part)));
  }

  #grant(held: HeldLease, { untilMs, ttlMs, scope }: { untilMs: number; ttlMs: number; scope: Lease['scope'] }) {
    // Somebody in this process may have taken it while Redis was asked.
    if (!this.#isClosed && this.#table.take(held, untilMs)) return new LeaseInRedis(this, held, ttlMs, scope);
    if (scope === 'fleet') this.#giveBack([held]);
    return undefined;
  }

  isHeld(held: HeldLease): boolean {
    return this.#table.isHeld(held);
  }

  /** Where the lease is held for another such time; undefined if it is lost. */
  async extend(held: HeldLease, ttlMs: number): Promise<Lease['scope'] | undefined> {
    if (!this.#table.isHeld(held)) return undefined;
    const untilMs = this.#clock.now() + ttlMs;
    const { type } = await this.#ask([held.name], held.token, ttlMs);
    // Released, or run out, while Redis was asked.
    const isHeld = this.#table.isHeld(held);
    if (type !== 'taken' && isHeld && this.#table.take(held, untilMs)) return type === 'ours' ? 'fleet' : 'proxy';
    this.#table.release(held);
    if (type !== 'taken') this.#giveBack([held]);
    return undefined;
  }

  release(held: HeldLease): void {
    if (!this.#table.isHeld(held)) return;
    this.#table.release(held);
    this.#giveBack([held]);
  }

  async #ask(names: readonly string[], token: string, ttlMs: number): Promise<Answer> {
    if (this.#underWay >= underWayMax || names.some((name) => name.length > nameMax)) return { type: 'silent' };
    this.#underWay += 1;
    try {
      const args = [token, String(Math.ceil(ttlMs)), String(Math.floor(this.#storeClock.now()))];
      const reply = await this.#link.run({
        script: leaseScript,
        keys: names.map((name) => this.#keys.lease(name)),
        args,
      });
      // Zero: all are taken. Less: it came so late that its time was over.
      const place = Number(reply);
      const name = names[place - 1];
      if (name !== undefined) return { type: 'ours', name };
      return { type: place === 0 ? 'taken' : 'silent' };
    } catch {
      // The link has told the breaker, which says so once.
      return { type: 'silent' };
    } finally {
      this.#underWay -= 1;
    }
  }

  #giveBack(held: readonly HeldLease[]): void {
    void this.#tellReleased(held);
  }

  async #tellReleased(held: readonly HeldLease[]): Promise<void> {
    const known = held.filter(({ name }) => name.length <= nameMax);
    if (known.length === 0 || this.#underWay >= underWayMax) return;
    this.#underWay += 1;
    const keys = known.map(({ name }) => this.#keys.lease(name));
    const args = known.map(({ token }) => token);
    await this.#link.run({ script: releaseScript, keys, args }).catch(() => {});
    this.#underWay -= 1;
  }
}

class LeaseInRedis implements Lease {
  readonly #leases: LeasesInRedis;
  readonly #held: HeldLease;
  readonly #ttlMs: number;
  #scope: Lease['scope'];

  constructor(leases: LeasesInRedis, held: HeldLease, ttlMs: number, scope: Lease['scope']) {
    this.#leases = leases;
    this.#held = held;
    this.#ttlMs = ttlMs;
    this.#scope = scope;
  }

  get name(): string {
    return this.#held.name;
  }

  get scope(): Lease['scope'] {
    return this.#scope;
  }

  isHeld(): boolean {
    return this.#leases.isHeld(this.#held);
  }

  async renew(): Promise<boolean> {
    const scope = await this.#leases.extend(this.#held, this.#ttlMs);
    this.#scope = scope ?? this.#scope;
    return scope !== undefined;
  }

  release(): void {
    this.#leases.release(this.#held);
  }
}
