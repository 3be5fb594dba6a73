// Trials whose turn is decided by leases of the shared state: binds one room to the other.

import type { Clock } from './canonical/clock.ts';
import { createTrials, type Trials } from './routing/trials.ts';
import { keepRenewed } from './state/lease.ts';
import type { StateStore } from './state/store.ts';

/** What is asked of the shared state. */
export type TrialStore = Pick<StateStore, 'lease' | 'health'>;

/** A late answer is no outage. So many in a row are as good as one: every proxy then tries by itself. */
const silencesMax = 3;

/** Trials of which one runs in all proxies, or one in each while the store is down. */
export function createLeasedTrials(clock: Clock, store: TrialStore): Trials {
  let silences = 0;
  return createTrials({
    clock,
    async claim(name, ttlMs) {
      const lease = await store.lease(name, ttlMs);
      silences = lease?.scope === 'proxy' ? silences + 1 : 0;
      if (lease === undefined) return undefined;
      if (lease.scope === 'proxy' && silences < silencesMax && store.health().state === 'ok') {
        lease.release();
        return undefined;
      }
      // A trial that takes longer than its lease is still the only one. What is lost was lost while Redis was gone.
      const kept = keepRenewed(clock, lease, ttlMs, () => {});
      return {
        letGo: () => kept.cancel(),
        giveBack() {
          kept.cancel();
          lease.release();
        },
      };
    },
  });
}
