// Counts disables as the disable book reports them, the proxy's own and those it heard of.

import { failureClasses } from '../canonical/failure.ts';
import type { DisableChange, TargetId } from '../state/store.ts';
import { createCounters, reach, type Counter, type Family } from './series.ts';

/** What a target is: a backend or a key, whole or for one model, or all backends of a provider. */
export type TargetKind = 'provider' | 'backend' | 'backend-model' | 'key' | 'key-model';

/** Reads the kind out of a target's id. */
export function kindOfTarget(target: TargetId): TargetKind {
  if (target.startsWith('provider:')) return 'provider';
  const kind = target.startsWith('key:') ? 'key' : 'backend';
  return target.includes('#') ? `${kind}-model` : kind;
}

/** Counts disables by kind of target and reason. */
export interface DisableCounters {
  readonly family: Family;
  /** Listens to the disable book. */
  changed(change: DisableChange): void;
}

/** The entries of one target that have been counted. */
interface CountedIds {
  hard?: string;
  soft?: string;
}

/** Makes the counters; `proxyId` tells this proxy's own disables from those of the others. */
export function createDisableCounters(proxyId: string): DisableCounters {
  const family = createCounters({
    name: 'sluice_disables_total',
    help: 'Disables by kind of target and reason. Sum over origin="local" to count each once in an installation.',
    labelNames: ['kind', 'class', 'origin'],
  });
  const counters = new Map<string, Counter>();
  // A target is reported again when its hard entry ends and the soft one stays: each entry counts once. Holds only what
  // is in force: the end of every disable is reported too.
  const counted = new Map<TargetId, CountedIds>();
  // Another proxy may be of a newer version: what it calls a reason makes no series here.
  const reasons: ReadonlySet<string> = new Set([...failureClasses, 'Probe', 'Manual']);
  return {
    family,
    changed({ target, entry }) {
      if (entry === undefined) {
        counted.delete(target);
        return;
      }
      const ids: CountedIds = reach(counted, target, () => ({}));
      const side = entry.hard ? 'hard' : 'soft';
      if (ids[side] === entry.id) return;
      ids[side] = entry.id;
      const reason = reasons.has(entry.reason) ? entry.reason : 'other';
      const labels = [kindOfTarget(target), reason, entry.by === proxyId ? 'local' : 'shared'];
      reach(counters, labels.join(' '), () => family.child(...labels)).add(1);
    },
  };
}
