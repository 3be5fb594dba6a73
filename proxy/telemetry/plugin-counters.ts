// Counts questions to plugins by what came of them. Modules are named by configurations, never by clients.

import type { Clock } from '../canonical/clock.ts';
import { type Counter, createCounters, type Family, reach } from './series.ts';

/** How often the same module is complained of. */
const complaintMs = 60_000;

/** Counts, and says what went wrong now and then. */
export interface PluginCounters {
  readonly family: Family;
  readonly asked: (module: string, outcome: string, message?: string) => void;
}

/** Makes the counters. `complain` is told of each module that does not order, once a minute. */
export function createPluginCounters(
  clock: Clock,
  complain: (module: string, outcome: string, message: string | undefined) => void,
): PluginCounters {
  const family = createCounters({
    name: 'sluice_plugin_orders_total',
    help: 'Questions to plugins by outcome: ordered, failed, timeout, unavailable. Chance decided in all but the first.',
    labelNames: ['module', 'outcome'],
  });
  const counters = new Map<string, Counter>();
  const complainedAtMs = new Map<string, number>();
  return {
    family,
    asked(module, outcome, message) {
      reach(counters, `${outcome} ${module}`, () => family.child(module, outcome)).add(1);
      const now = clock.now();
      if (outcome === 'ordered' || now - (complainedAtMs.get(module) ?? -Infinity) < complaintMs) return;
      complainedAtMs.set(module, now);
      complain(module, outcome, message);
    },
  };
}
