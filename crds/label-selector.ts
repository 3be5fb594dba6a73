/** The label selector of Kubernetes, bounded. */
import { z } from 'zod';
import { listAtomic, mapOf } from './lists.ts';
import { withRules } from './rule.ts';
import { patterned } from './scalars.ts';

const labelKey = () =>
  patterned(
    /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
    317, // 253 for the prefix, the slash, 63 for the name
    'the key of a label',
  );
const labelValue = () =>
  patterned(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 63, 'the value of a label, which may be empty');

const expression = withRules(
  z.strictObject({
    key: labelKey().describe('Key of the label.'),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How the label is compared with the values.'),
    values: listAtomic(labelValue(), { max: 16 }).optional().describe('Values for In and NotIn.'),
  }),
  [
    {
      cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
      message: 'values must be given with In and NotIn, and left out with Exists and DoesNotExist',
      fieldPath: '.values',
      holds: ({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
    },
  ],
);

/** Selects objects by their labels; all entries must hold, and an empty selector selects everything. */
export const labelSelectorSchema = z
  .strictObject({
    matchLabels: mapOf(labelValue(), 16).optional().describe('Labels that must be there with exactly these values.'),
    matchExpressions: listAtomic(expression, { max: 8 })
      .optional()
      .describe('Conditions on labels that must all hold.'),
  })
  .meta({ 'x-kubernetes-map-type': 'atomic' });
