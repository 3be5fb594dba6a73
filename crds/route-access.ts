/** Who may use a route. */
import { z } from 'zod';
import { labelSelectorSchema } from './label-selector.ts';
import { withRules } from './rule.ts';

const namespacesSchema = withRules(
  z.strictObject({
    from: z.enum(['Same', 'All', 'Selector']).default('Same').describe('Namespaces whose client keys are let in.'),
    selector: labelSelectorSchema.optional().describe('Labels of those namespaces; only with Selector.'),
  }),
  [
    {
      cel: "(self.from == 'Selector') == has(self.selector)",
      message: 'selector must be given where from is Selector, and nowhere else',
      fieldPath: '.selector',
      holds: ({ from, selector }) => (from === 'Selector') === (selector !== undefined),
    },
  ],
);

/** `spec.access`. */
export const accessSchema = withRules(
  z.strictObject({
    mode: z
      .enum(['AllKeys', 'SelectedKeys', 'Anonymous'])
      .default('AllKeys')
      .describe(
        'AllKeys lets every client key in, SelectedKeys those with the labels of keySelector, Anonymous everybody.',
      ),
    keySelector: labelSelectorSchema
      .optional()
      .describe('Labels of the LLMKeys that are let in; only with SelectedKeys.'),
    namespaces: namespacesSchema.optional().describe('Namespaces whose keys are let in; only the same where left out.'),
  }),
  [
    {
      cel: "(self.mode == 'SelectedKeys') == has(self.keySelector)",
      message: 'keySelector must be given where mode is SelectedKeys, and nowhere else',
      fieldPath: '.keySelector',
      holds: ({ mode, keySelector }) => (mode === 'SelectedKeys') === (keySelector !== undefined),
    },
    {
      cel: "!has(self.namespaces) || self.mode != 'Anonymous'",
      message: 'namespaces must be left out where mode is Anonymous',
      fieldPath: '.namespaces',
      holds: ({ mode, namespaces }) => namespaces === undefined || mode !== 'Anonymous',
    },
  ],
);
