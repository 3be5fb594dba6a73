// What the answer to a probe says about a provider. Pure.

import type { TransportFault } from '../canonical/failure.ts';

/** What came of a probe; `tookMs` until the whole answer was there. */
export type ProbeOutcome =
  | { readonly type: 'answered'; readonly status: number; readonly tookMs: number }
  | { readonly type: 'failed'; readonly fault: TransportFault }
  | { readonly type: 'late' };

/** `unknown`: the answer is about the credential, not about whether the provider works. */
export type ProbeVerdict = 'healthy' | 'unhealthy' | 'unknown';

/** Refused credentials and spent limits: whoever says so works. But it has not been asked what was to be asked. */
const aboutCredential: ReadonlySet<number> = new Set([401, 402, 403, 407, 429]);

/** Judges a probe. Redirects are not followed, so they are no answer. */
export function judgeProbe(outcome: ProbeOutcome, unhealthyAfterMs: number | undefined): ProbeVerdict {
  if (outcome.type !== 'answered') return 'unhealthy';
  const { status, tookMs } = outcome;
  if (aboutCredential.has(status)) return 'unknown';
  if (status < 200 || status > 299) return 'unhealthy';
  return unhealthyAfterMs !== undefined && tookMs > unhealthyAfterMs ? 'unhealthy' : 'healthy';
}
