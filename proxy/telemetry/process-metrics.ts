// Metrics of the process itself under the names that every Node dashboard knows: CPU, memory, event-loop lag, GC.

import { collectDefaultMetrics, Registry } from 'prom-client';

/** 20 ms: fine enough to see a stall that a client would notice, at half the wake-ups of the library's default. */
const eventLoopPrecisionMs = 20;

/** Starts measuring the process; the result writes what was measured. Once per process: it cannot be stopped. */
export function createProcessMetrics(): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs });
  return () => registry.metrics();
}
