import { expect, it } from 'vitest';
import { createProcessMetrics } from '../../../proxy/telemetry/process-metrics.ts';

it('the process says how it is under the names that dashboards know', async () => {
  const text = await createProcessMetrics()();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    expect(text).toMatch(new RegExp(`^${name} `, 'm'));
  }
  expect(text.endsWith('\n')).toBe(true);
});
