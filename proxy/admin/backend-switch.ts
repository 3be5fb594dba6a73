// A person's hand on a backend: hard disables in the disable book, and their end.

import type { Clock } from '../canonical/clock.ts';
import { type DisableBook, foreverMs } from '../state/store.ts';
import type { AdminSources } from './sources.ts';

/** Makes the two changes of the admin port out of a disable book. */
export function createBackendSwitch(
  disables: DisableBook,
  clock: Clock,
): Pick<AdminSources, 'disableBackend' | 'enableBackend'> {
  return {
    disableBackend(backendId, forMs) {
      const target = `backend:${backendId}`;
      const untilMs = forMs === undefined ? foreverMs : clock.now() + forMs;
      // The later `until` wins: a person who asks for less than before must first end what was before.
      const before = disables.find(target);
      if (before?.reason === 'Manual' && before.untilMs > untilMs) disables.clear(target);
      disables.disable(target, { untilMs, reason: 'Manual', hard: true });
    },
    enableBackend(backendId) {
      const target = `backend:${backendId}`;
      for (const entry of disables.list()) {
        if (entry.target.startsWith(`${target}#`)) disables.clear(entry.target);
      }
      // Also when this proxy knows of no disable: another may, and is told.
      disables.clear(target);
    },
  };
}
