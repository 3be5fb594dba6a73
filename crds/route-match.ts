/** Which requests a rule takes. */
import { z } from 'zod';
import { labelSelectorSchema } from './label-selector.ts';
import { listAtomic, listMap } from './lists.ts';
import { withRules } from './rule.ts';
import { labelText, patterned, text } from './scalars.ts';

const headerMatchSchema = withRules(
  z.strictObject({
    name: patterned(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 128, 'the name of a header').describe(
      'Name of the header, in any case of letters.',
    ),
    type: z
      .enum(['Exact', 'Prefix', 'Present'])
      .optional()
      .describe('How the value is compared; Exact where left out.'),
    value: text({ min: 1, max: 1024 }).optional().describe('Value, or its beginning; left out with Present.'),
  }),
  [
    {
      cel: "(has(self.type) && self.type == 'Present') != has(self.value)",
      message: 'value must be given, except with Present',
      fieldPath: '.value',
      holds: ({ type, value }) => (type === 'Present') !== (value !== undefined),
    },
  ],
);

const matchSchema = withRules(
  z.strictObject({
    headers: listMap(headerMatchSchema, ['name'], { min: 1, max: 8 })
      .optional()
      .describe('Headers that the request must have.'),
    tenant: labelText().optional().describe('Tenant that the client key must prove.'),
    keySelector: labelSelectorSchema.optional().describe('Labels that the LLMKey of the client must have.'),
    cel: text({ min: 1, max: 1024 }).optional().describe('CEL expression over the request that must be true.'),
  }),
  [
    {
      cel: 'has(self.headers) || has(self.tenant) || has(self.keySelector) || has(self.cel)',
      message: 'a match must name at least one of headers, tenant, keySelector and cel',
      holds: ({ headers, tenant, keySelector, cel }) =>
        headers !== undefined || tenant !== undefined || keySelector !== undefined || cel !== undefined,
    },
  ],
);

/** `spec.rules[].matches`: alternatives. */
export const matchesSchema = listAtomic(matchSchema, { min: 1, max: 8 });
