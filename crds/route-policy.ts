/** How a rule orders its backends, and what it asks of them. */
import { z } from 'zod';
import { listAtomic } from './lists.ts';
import { type Rule, withRules } from './rule.ts';
import { integer, labelText, money, patterned, text } from './scalars.ts';

/** `spec.rules[].strategy`: orders backends inside one priority. */
export const strategies = [
  'Random',
  'RoundRobin',
  'Weighted',
  'LeastUsed',
  'LeastBusy',
  'LeastLatency',
  'DynamicWeighted',
  'FirstAvailable',
  'Cheapest',
  'Affinity',
  'Plugin',
] as const;

/** One strategy. */
export type Strategy = (typeof strategies)[number];

const affinitySchema = withRules(
  z.strictObject({
    on: z
      .enum(['Conversation', 'Prefix', 'Client', 'Header'])
      .default('Conversation')
      .describe(
        'What requests must have in common to meet the same backend (YAML of kubectl needs quotation marks around the name of this field).',
      ),
    headerName: patterned(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 128, 'the name of a header')
      .optional()
      .describe('Header to compare; only with Header.'),
  }),
  [
    {
      cel: "(self.on == 'Header') == has(self.headerName)",
      message: 'headerName must be given where on is Header, and nowhere else',
      fieldPath: '.headerName',
      holds: ({ on, headerName }) => (on === 'Header') === (headerName !== undefined),
    },
  ],
);

/** Members of a rule that belong to one strategy each. */
export const strategyMembers = {
  affinity: affinitySchema.optional().describe('Options of the strategy Affinity; only there.'),
  firstAvailable: z
    .strictObject({ waitSeconds: integer(0, 3600).default(60).describe('Longest wait for a backend to be free.') })
    .optional()
    .describe('Options of the strategy FirstAvailable; only there.'),
  plugin: z
    .strictObject({
      module: patterned(/^[-A-Za-z0-9@._/]+$/, 256, 'the name or path of a module').describe(
        'Module that orders the backends.',
      ),
      timeoutMillis: integer(1, 10_000)
        .default(50)
        .describe('Longest time for its decision; the strategy Random decides after that.'),
    })
    .optional()
    .describe('Options of the strategy Plugin; there and only there.'),
};

interface Strategic {
  readonly strategy: Strategy;
  readonly affinity?: unknown;
  readonly firstAvailable?: unknown;
  readonly plugin?: unknown;
}

/** Options stand only with their strategy. */
export const strategyRules: readonly Rule<Strategic>[] = [
  {
    cel: "!has(self.affinity) || self.strategy == 'Affinity'",
    message: 'affinity must be left out unless strategy is Affinity',
    fieldPath: '.affinity',
    holds: ({ strategy, affinity }) => affinity === undefined || strategy === 'Affinity',
  },
  {
    cel: "!has(self.firstAvailable) || self.strategy == 'FirstAvailable'",
    message: 'firstAvailable must be left out unless strategy is FirstAvailable',
    fieldPath: '.firstAvailable',
    holds: ({ strategy, firstAvailable }) => firstAvailable === undefined || strategy === 'FirstAvailable',
  },
  {
    cel: "has(self.plugin) == (self.strategy == 'Plugin')",
    message: 'plugin must be given where strategy is Plugin, and nowhere else',
    fieldPath: '.plugin',
    holds: ({ strategy, plugin }) => (plugin !== undefined) === (strategy === 'Plugin'),
  },
];

const attributeSchema = withRules(
  z.strictObject({
    name: labelText().describe('Name of the attribute.'),
    operator: z.enum(['In', 'NotIn', 'Exists']).describe('How the attribute is compared with the values.'),
    values: listAtomic(text({ max: 63 }), { max: 16 })
      .optional()
      .describe('Values for In and NotIn.'),
  }),
  [
    {
      cel: "(self.operator != 'Exists') == (has(self.values) && size(self.values) > 0)",
      message: 'values must be given with In and NotIn, and left out with Exists',
      fieldPath: '.values',
      holds: ({ operator, values = [] }) => (operator !== 'Exists') === values.length > 0,
    },
  ],
);

const maxPriceSchema = withRules(
  z.strictObject({
    inputPerMillion: money().optional().describe('Most US dollars for a million input tokens.'),
    outputPerMillion: money().optional().describe('Most US dollars for a million output tokens.'),
  }),
  [
    {
      cel: 'has(self.inputPerMillion) || has(self.outputPerMillion)',
      message: 'maxPrice must name inputPerMillion, outputPerMillion or both',
      holds: (price) => price.inputPerMillion !== undefined || price.outputPerMillion !== undefined,
    },
  ],
);

const requirementSchema = withRules(
  z.strictObject({
    attribute: attributeSchema.optional().describe('An attribute of the provider.'),
    maxPrice: maxPriceSchema.optional().describe('Prices of the model.'),
    maxFirstContentMillis: integer(1, 3_600_000).optional().describe('Usual time of the backend until first content.'),
  }),
  [
    {
      cel: '[has(self.attribute), has(self.maxPrice), has(self.maxFirstContentMillis)].filter(given, given).size() == 1',
      message: 'exactly one of attribute, maxPrice and maxFirstContentMillis must be given',
      holds: (requirement) => Object.values(requirement).filter((given) => given !== undefined).length === 1,
    },
  ],
);

/** `spec.rules[].require` and `prefer`. */
export const requirementsSchema = listAtomic(requirementSchema, { max: 8 });
