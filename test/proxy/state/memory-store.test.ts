import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryPeers, createMemoryStore } from '../../../proxy/state/memory-store.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import type { Fleet } from '../../support/joined-fleet.ts';
import { describeLeases } from '../../support/lease-conformance.ts';
import { describeStore } from '../../support/state-conformance.ts';
import { createKeptLog } from './kept-log.ts';

async function open(): Promise<Fleet> {
  const peers = createMemoryPeers(systemClock);
  return {
    create(proxyId) {
      const store = createMemoryStore({ clock: systemClock, peers });
      return { store, book: createDisableBook({ clock: systemClock, store, proxyId, log: createKeptLog() }) };
    },
    close: async () => {},
  };
}

describeStore('the memory store', open);
describeLeases('leases in memory', open);
