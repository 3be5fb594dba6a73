import type { Failure, FailureClass } from '../../../proxy/canonical/failure.ts';
import type { FailureSettings } from '../../../proxy/routing/failure-settings.ts';

/** A failure of a class, otherwise unremarkable. */
export function failureOf(failureClass: FailureClass, more: Partial<Failure> = {}): Failure {
  return { class: failureClass, scope: 'backend', hard: false, counts: false, cause: 'test', ...more };
}

/** A client's own fault, in the upstream's words. */
export function faultOf(failureClass: FailureClass, status = 400, message = 'Your fault.'): Failure {
  const client = { status, message, code: 'code', type: 'type', param: 'param' };
  return failureOf(failureClass, { scope: 'none', status, client });
}

/** What a route does that says nothing about failures. */
export const defaults: FailureSettings = {
  on: [
    'Connect',
    'TLS',
    'Timeout',
    'RateLimit',
    'Quota',
    'ServerError',
    'Overloaded',
    'Authentication',
    'Permission',
    'ModelNotFound',
    'ContextLength',
    'InvalidResponse',
    'Truncated',
    'Stalled',
  ],
  statusCodes: [],
  retry: { attempts: 0, baseMillis: 100, maxMillis: 2000, jitterPercent: 20 },
  disable: { failures: 1, windowSeconds: 60, seconds: 600 },
};
