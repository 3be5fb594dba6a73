// Counts disables as the disable book reports them, the proxy's own and those it heard of.

import { failureClasses } from '../canonical/failure.ts';
import type { DisableEntry, TargetId } from '../state/store.ts';
import { createCounters, type Counter, type Family } from './series.ts';

/** What a target is: a backend or a key, whole or for one model. */
export type TargetKind = 'backend' | 'backend-model' | 'key' | 'key-model';

/** Reads the kind out of a target's id. */
export function kindOfTarget(target: TargetId): TargetKind {
  const kind = target.startsWith('key:') ? 'key' : 'backend';
  return target.includes('#') ? `${kind}-model` : kind;
}

/** Counts disables by kind of target and reason. */
export interface DisableCounters {
  readonly family: Family;
  count(entry: DisableEntry): void;
}

/** Makes the counters; `proxyId` tells this proxy's own disables from those of the others. */
export function createDisableCounters(proxyId: string): DisableCounters {
  const family = createCounters({
    name: 'sluice_disables_total',
    help: 'Disables by kind of target and reason. Sum over origin="local" to count each once in an installation.',
    labelNames: ['kind', 'class', 'origin'],
  });
  const counters = new Map<string, Counter>();
  // Another proxy may be of a newer version: what it calls a reason makes no series here.
  const reasons: ReadonlySet<string> = new Set([...failureClasses, 'Manual']);
  return {
    family,
    count({ target, reason, by }) {
      const labels = [
        kindOfTarget(target),
        reasons.has(reason) ? reason : 'other',
        by === proxyId ? 'local' : 'shared',
      ];
      const key = labels.join(' ');
      let counter = counters.get(key);
      if (counter === undefined) {
        counter = family.child(...labels);
        counters.set(key, counter);
      }
      counter.add(1);
    },
  };
}
