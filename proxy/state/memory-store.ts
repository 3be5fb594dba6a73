// The store of a proxy that is alone, or of several in one process (simulations): nothing to connect to, nothing to lose.
// What is in force lives in the attached books; a newcomer asks the others.

import type { Clock } from '../canonical/clock.ts';
import type { ClearEntry, DisableEntry, SharedNews, StatePeer, StateStore, StoreHealth } from './store.ts';

/** The stores of one process that hear each other. */
export type MemoryPeers = Set<StatePeer>;

/** What a memory store is made of. */
export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** The same set for every store that shall hear the others; without it a store is alone. */
  readonly peers?: MemoryPeers;
}

/** A store without a server. */
export function createMemoryStore({ clock, peers = new Set() }: MemoryStoreOptions): StateStore {
  return new MemoryStore(clock, peers);
}

class MemoryStore implements StateStore {
  readonly #clock: Clock;
  readonly #peers: MemoryPeers;
  readonly #sinceMs: number;
  #own: StatePeer | undefined;

  constructor(clock: Clock, peers: MemoryPeers) {
    this.#clock = clock;
    this.#peers = peers;
    this.#sinceMs = clock.now();
  }

  share(entry: DisableEntry): void {
    this.#tell({ type: 'disable', entry });
  }

  shareClear(clear: ClearEntry): void {
    this.#tell({ type: 'clear', clear });
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
    if (this.#own !== undefined) this.#peers.delete(this.#own);
  }

  #tell(news: SharedNews): void {
    // Before start and after close nobody is listening to this store.
    if (this.#own === undefined || !this.#peers.has(this.#own)) return;
    for (const peer of this.#peers) if (peer !== this.#own) peer.hear(news);
  }
}
