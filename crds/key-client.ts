/** What a client key may open, how much it may spend, and how it is renewed. */
import { z } from 'zod';
import { listMap, listSet } from './lists.ts';
import { withRules } from './rule.ts';
import { integer, label, labelText, modelPattern, money, objectName, patterned } from './scalars.ts';

/** A year: a key that is renewed more rarely is not renewed. */
const rotationSecondsMax = 31_536_000;

const budgetSchema = z.strictObject({
  name: label().describe('Name of the budget, unique in the key.'),
  amount: money().describe('US dollars that may be spent in one window.'),
  window: z
    .enum(['Hour', 'Day', 'Week', 'Month', 'Total'])
    .describe('Time over which spending is added up; Total never starts again.'),
  onExceeded: z
    .enum(['Reject', 'Warn'])
    .optional()
    .describe('What happens when the amount is spent; Reject where left out.'),
  warnPercent: integer(1, 100).optional().describe('Share of the amount from which a warning is given.'),
});

const rotationSchema = withRules(
  z.strictObject({
    // Not under an hour: every renewal is a write of a Secret and a new revision of every proxy.
    periodSeconds: integer(3600, rotationSecondsMax)
      .optional()
      .describe('Time after which a new key is made; only on request where left out.'),
    overlapSeconds: integer(0, rotationSecondsMax)
      .optional()
      .describe('Time for which the previous key goes on working; none where left out.'),
  }),
  [
    {
      cel: '!has(self.periodSeconds) || !has(self.overlapSeconds) || self.overlapSeconds <= self.periodSeconds',
      message: 'overlapSeconds must not be greater than periodSeconds',
      fieldPath: '.overlapSeconds',
      holds: ({ periodSeconds = Number.POSITIVE_INFINITY, overlapSeconds = 0 }) => overlapSeconds <= periodSeconds,
    },
  ],
);

/** `spec.client` of an LLMKey. */
export const clientSchema = withRules(
  z.strictObject({
    generate: z
      .strictObject({
        secretName: objectName().describe('Name of the Secret that the operator makes, owned by this object.'),
        prefix: patterned(/^[A-Za-z0-9]([-A-Za-z0-9_]*[-A-Za-z0-9_])?$/, 16, 'letters, digits, "-" and "_"')
          .optional()
          .describe('What the key begins with, so that a leaked one is recognised.'),
      })
      .optional()
      .describe('Lets the operator make the key.'),
    tenant: labelText()
      .optional()
      .describe(
        'Tenant that the key proves; the namespace where left out, another one only where the namespace has the label sluice.dev/tenant with that value.',
      ),
    models: listSet(modelPattern(), { min: 1, max: 64 }).describe(
      'Public model names that the key opens, each a name or a beginning with "*"; ["*"] opens all.',
    ),
    budgets: listMap(budgetSchema, ['name'], { max: 8 })
      .optional()
      .describe('Amounts of money that the key may spend.'),
    rotation: rotationSchema
      .optional()
      .describe('When the operator makes a new key; the annotation sluice.dev/rotate asks for one at once.'),
  }),
  [
    {
      cel: '!has(self.rotation) || has(self.generate)',
      message: 'rotation must be left out unless generate is given: only a generated key can be renewed',
      fieldPath: '.rotation',
      holds: ({ rotation, generate }) => rotation === undefined || generate !== undefined,
    },
  ],
);
