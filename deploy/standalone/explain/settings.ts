// What a rule does about failures, in words.

import { failoverClasses } from '../../../crds/route-failover.ts';
import type { Rule } from '../../../proxy/config/snapshot.ts';
import type { Row } from './text.ts';

/** Failover, disabling and the deadline over all attempts. */
export function describeSettings(rule: Rule): readonly Row[] {
  const { maxAttempts, on, statusCodes, retry, whenAllDisabled, disable } = rule.failover;
  const codes = statusCodes.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  const retries = retry.attempts === 0 ? '' : `, after up to ${retry.attempts} retries of the same backend`;
  return [
    ...(rule.firstContentMsMax === undefined
      ? []
      : [['require', `usual time to first content at most ${rule.firstContentMsMax} ms, once it is known`] as const]),
    ['failover', `at most ${maxAttempts} attempts${retries}, within ${seconds(rule.totalMs)} in all`],
    ['failover', `after ${describeClasses(on)}`],
    ...(codes.length === 0 ? [] : [['failover', `and after the statuses ${codes.join(', ')}`] as const]),
    ['disable', describeDisable(disable)],
    [
      'disable',
      whenAllDisabled === 'Fail'
        ? 'when all are disabled: 503 at once'
        : 'when all are disabled: those are tried that return soonest',
    ],
  ];
}

/** Whichever is shorter: the classes, or those that are missing. */
function describeClasses(on: readonly string[]): string {
  const missing = failoverClasses.filter((name) => !on.includes(name));
  if (on.length === 0) return 'no class of failure';
  if (missing.length === 0) return 'every class of failure';
  return missing.length < on.length ? `every class of failure but ${missing.join(', ')}` : on.join(', ');
}

function describeDisable({ failures, windowSeconds, seconds: out, maxSeconds }: Rule['failover']['disable']): string {
  if (out === 0) return 'never';
  const count = failures === 1 ? 'one failure takes' : `${failures} failures within ${windowSeconds} s take`;
  const growth = maxSeconds === undefined ? '' : `, doubling up to ${maxSeconds} s`;
  return `${count} a backend out for ${out} s${growth}`;
}

/** Milliseconds, as people say them. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
