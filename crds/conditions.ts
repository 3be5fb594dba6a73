/** Conditions of all three kinds, with the reasons that each may give; the shape is metav1.Condition. */
import { z } from 'zod';
import { listMap } from './lists.ts';
import { count, patterned, text, timestamp } from './scalars.ts';

/** Every condition type with the reasons for each status. `Ready` repeats the reason of the first failing condition. */
export const conditionReasons = {
  Accepted: { True: ['Accepted'], False: ['Invalid', 'UnsupportedValue', 'Conflicted'], Unknown: ['Pending'] },
  ResolvedRefs: {
    True: ['ResolvedRefs'],
    False: [
      'ProviderNotFound',
      'RouteNotFound',
      'SecretNotFound',
      'SecretKeyMissing',
      'ServiceNotFound',
      'RefNotPermitted',
      'ModelNotListed',
    ],
    Unknown: ['Pending'],
  },
  Programmed: { True: ['Programmed'], False: ['RejectedByProxy', 'ConfigTooLarge', 'NoProxies'], Unknown: ['Pending'] },
  PartiallyInvalid: { True: ['PartiallyInvalid'], False: [], Unknown: [] },
  KeysAvailable: { True: ['KeysAvailable', 'NotRequired'], False: ['NoUsableKey'], Unknown: ['Pending'] },
  Usable: {
    True: ['Usable'],
    False: ['Disabled', 'Expired', 'AuthenticationFailed', 'QuotaExhausted', 'BudgetExhausted'],
    Unknown: ['Pending'],
  },
  Ready: { True: ['Ready'], False: [], Unknown: ['Pending'] },
} as const;

/** One condition; bounds and patterns are those of metav1.Condition. */
export const conditionSchema = z.strictObject({
  type: patterned(
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    316,
    'a condition type in CamelCase',
  ).describe('Type of the condition, such as Accepted.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  observedGeneration: count(0).optional().describe('Generation of the object that the condition was decided for.'),
  lastTransitionTime: timestamp().describe('When the status last changed.'),
  reason: patterned(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/, 1024, 'a reason in CamelCase').describe(
    'Reason for the status in one CamelCase word.',
  ),
  message: text({ max: 32768 }).describe('Explanation for people.'),
});

/** `status.conditions`: eight, as in Gateway API; no kind has more than six of ours. */
export function conditions() {
  return listMap(conditionSchema, ['type'], { max: 8 })
    .optional()
    .describe('What the operator and the proxies say about this object.');
}

/** `status.observedGeneration`. */
export function observedGeneration() {
  return count(0).optional().describe('Generation of the object that this status was written for.');
}
