import { expect, test } from 'vitest';
import { judgeProbe, type ProbeOutcome } from '../../../proxy/health/probe-verdict.ts';

const answered = (status: number, tookMs = 10): ProbeOutcome => ({ type: 'answered', status, tookMs });

test.each([
  [answered(200), undefined, 'healthy'],
  [answered(204), undefined, 'healthy'],
  [answered(200, 100), 100, 'healthy'],
  [answered(200, 101), 100, 'unhealthy'],
  [answered(301), undefined, 'unhealthy'],
  [answered(404), undefined, 'unhealthy'],
  [answered(500), undefined, 'unhealthy'],
  [answered(503), undefined, 'unhealthy'],
  [answered(401), undefined, 'unknown'],
  [answered(402), undefined, 'unknown'],
  [answered(403), undefined, 'unknown'],
  [answered(407), undefined, 'unknown'],
  [answered(429, 5000), 100, 'unknown'],
  [{ type: 'failed', fault: 'connect' }, undefined, 'unhealthy'],
  [{ type: 'late' }, undefined, 'unhealthy'],
] as const)('%j, to be there within %s ms, means %s', (outcome, withinMs, verdict) => {
  expect(judgeProbe(outcome, withinMs)).toBe(verdict);
});
