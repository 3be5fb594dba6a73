import type { Clock } from '../../../proxy/canonical/clock.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryStore, type MemoryPeers } from '../../../proxy/state/memory-store.ts';
import { describeStore } from '../../support/state-conformance.ts';
import { createKeptLog } from './turned-clock.ts';

const clock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

describeStore('the memory store', async () => {
  const peers: MemoryPeers = new Set();
  return {
    create(proxyId) {
      const store = createMemoryStore({ clock, peers });
      return { store, book: createDisableBook({ clock, store, proxyId, log: createKeptLog() }) };
    },
    close: async () => {},
  };
});
