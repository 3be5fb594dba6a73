// What a route says about failures, as the decisions after a failure read it.

import type { Failure } from '../canonical/failure.ts';
import type { FailoverConfig } from '../config/schema.ts';

/** The settings of a rule that decide what a failure leads to. */
export type FailureSettings = Pick<FailoverConfig, 'on' | 'statusCodes' | 'retry' | 'disable'>;

/**
 * Whether the route has added this status to what fails over and counts (rule 14). Any status but 200 can be added:
 * `201-599` makes failures of the other successes too, so whoever sees one has to ask here before taking it for one.
 */
export function isListedStatus(
  status: number | undefined,
  { statusCodes }: Pick<FailureSettings, 'statusCodes'>,
): boolean {
  if (status === undefined || status === 200) return false;
  return statusCodes.some(([first, last]) => status >= first && status <= last);
}

/** Whether a failure counts against its backend: by its class, or because the route says so. */
export function countsAgainstBackend(failure: Failure, settings: Pick<FailureSettings, 'statusCodes'>): boolean {
  return failure.counts || isListedStatus(failure.status, settings);
}
