import type { Clock } from '../../../proxy/canonical/clock.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryPeers, createMemoryStore } from '../../../proxy/state/memory-store.ts';
import { describeLeases } from '../../support/lease-conformance.ts';
import { describeStore, type Fleet } from '../../support/state-conformance.ts';
import { createKeptLog } from './turned-clock.ts';

const clock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

async function open(): Promise<Fleet> {
  const peers = createMemoryPeers(clock);
  return {
    create(proxyId) {
      const store = createMemoryStore({ clock, peers });
      return { store, book: createDisableBook({ clock, store, proxyId, log: createKeptLog() }) };
    },
    close: async () => {},
  };
}

describeStore('the memory store', open);
describeLeases('leases in memory', open);
