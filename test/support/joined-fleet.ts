// Proxies that share a store while a test runs, for the suites of stores.

import { afterEach, beforeEach } from 'vitest';
import type { DisableBook, StateStore } from '../../proxy/state/store.ts';

/** One proxy's share of the state. */
export interface StateProxy {
  readonly store: StateStore;
  readonly book: DisableBook;
}

/** Proxies that share a store. */
export interface Fleet {
  /** A further proxy; its store has not been started. */
  create(proxyId: string): StateProxy;
  /** Ends what carries the state; the proxies have been closed. */
  close(): Promise<void>;
}

/** What a test makes proxies with. */
export interface JoinedFleet {
  /** A further proxy; its store has not been started. */
  readonly create: () => StateProxy;
  /** A further proxy that has joined the others. */
  readonly join: () => Promise<StateProxy>;
}

/** Has a fleet opened for each test of a suite, and closed with all of its proxies. */
export function useFleet(open: () => Promise<Fleet>): JoinedFleet {
  let fleet: Fleet;
  let proxies: StateProxy[];

  beforeEach(async () => {
    fleet = await open();
    proxies = [];
  });
  afterEach(async () => {
    for (const { store } of proxies) await store.close();
    await fleet.close();
  });

  function create(): StateProxy {
    const proxy = fleet.create(`proxy-${proxies.length + 1}`);
    proxies.push(proxy);
    return proxy;
  }

  return {
    create,
    async join() {
      const proxy = create();
      await proxy.store.start(5000);
      return proxy;
    },
  };
}
