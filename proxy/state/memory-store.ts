// The store of a proxy that is alone, or of several in one process (simulations): nothing to connect to, nothing to lose.
// What is in force lives in the attached books; a newcomer asks the others.

import type { Clock } from '../canonical/clock.ts';
import { createLeaseTable, type LeaseTable } from './lease-table.ts';
import type { Lease } from './lease.ts';
import { createMemoryLeases, type ClosableLeases } from './memory-leases.ts';
import type { ClearEntry, DisableEntry, SharedNews, StatePeer, StateStore, StoreHealth } from './store.ts';

/** What the stores of one process have in common. */
export interface MemoryPeers {
  /** Those who hear each other. */
  readonly books: Set<StatePeer>;
  readonly leases: LeaseTable;
  /** Stores made so far: names the next one to the others. */
  stores: number;
}

/** What a memory store is made of. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** The same for every store that shall hear the others; without it a store is alone. */
  readonly peers?: MemoryPeers;
}

/** Nobody yet. */
export function createMemoryPeers(clock: Clock): MemoryPeers {
  return { books: new Set(), leases: createLeaseTable({ clock }), stores: 0 };
}

/** A store without a server. */
export function createMemoryStore({ clock, peers = createMemoryPeers(clock) }: MemoryStoreOptions): StateStore {
  return new MemoryStore(clock, peers);
}

class MemoryStore implements StateStore {
  readonly #clock: Clock;
  readonly #peers: Set<StatePeer>;
  readonly #leases: ClosableLeases;
  readonly #sinceMs: number;
  #own: StatePeer | undefined;

  constructor(clock: Clock, peers: MemoryPeers) {
    this.#clock = clock;
    this.#peers = peers.books;
    peers.stores += 1;
    this.#leases = createMemoryLeases({ clock, table: peers.leases, holder: String(peers.stores) });
    this.#sinceMs = clock.now();
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
    return this.#clock.now();
  }

  attach(peer: StatePeer): void {
    this.#own = peer;
  }

  health(): StoreHealth {
    const proxies = Math.max(1, this.#peers.size);
    return { kind: 'memory', state: 'ok', sinceMs: this.#sinceMs, proxies, detail: undefined };
  }

  async start(): Promise<void> {
    const own = this.#own;
    if (own === undefined || this.#peers.has(own)) return;
    const others = [...this.#peers];
    this.#peers.add(own);
    const mine = [...own.facts()];
    for (const other of others) {
      for (const news of other.facts()) own.hear(news);
      for (const news of mine) other.hear(news);
    }
  }

  async close(): Promise<void> {
    this.#leases.close();
    if (this.#own !== undefined) this.#peers.delete(this.#own);
  }

  #tell(news: SharedNews): void {
    // Before start and after close nobody is listening to this store.
    if (this.#own === undefined || !this.#peers.has(this.#own)) return;
    for (const peer of this.#peers) if (peer !== this.#own) peer.hear(news);
  }
}
