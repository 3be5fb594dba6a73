/** Limits that may stand on every kind: how much of what, in which time. */
import { z } from 'zod';
import { listMap } from './lists.ts';
import { withRules } from './rule.ts';
import { count } from './scalars.ts';

/** One limit. */
export const limitSchema = withRules(
  z.strictObject({
    resource: z
      .enum(['Requests', 'InputTokens', 'OutputTokens', 'TotalTokens', 'Concurrency'])
      .describe('What is counted; Concurrency counts requests in flight.'),
    window: z
      .enum(['Second', 'Minute', 'Hour', 'Day', 'Month', 'None'])
      .describe('Time over which it is counted; None with Concurrency and only there.'),
    // Not 0: a kill switch in disguise. LLMKey.spec.state is the real one.
    max: count(1).describe('Largest amount admitted in one window.'),
    mode: z
      .enum(['Enforce', 'Shadow'])
      .default('Enforce')
      .describe('Enforce refuses what is over the limit; Shadow only reports it.'),
  }),
  [
    {
      cel: "(self.resource == 'Concurrency') == (self.window == 'None')",
      message: 'window must be None with Concurrency, and a time with everything else',
      fieldPath: '.window',
      holds: ({ resource, window }) => (resource === 'Concurrency') === (window === 'None'),
    },
  ],
);

/** `spec.limits`: at most 21, because four resources in five windows, and Concurrency, are all there are. */
export function limits(whose: string) {
  return listMap(limitSchema, ['resource', 'window'], { max: 21 })
    .optional()
    .describe(`Limits of ${whose}; all of them must pass.`);
}
