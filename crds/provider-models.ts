/** What a provider says about its models: names, abilities, sizes, prices. */
import { z } from 'zod';
import { listMap, listSet } from './lists.ts';
import { integer, modelName, money } from './scalars.ts';

/** Things that a model can do and that a request may need. */
export const modelCapabilities = [
  'Tools',
  'Vision',
  'Documents',
  'Audio',
  'JSONSchema',
  'Reasoning',
  'Prefill',
  'Responses',
] as const;

/** A thousand times the largest context window on offer: large enough not to be met, small enough to catch a slip. */
const contextTokensMax = 1_000_000_000;

/** `spec.models[].price`, US dollars. */
export const priceSchema = z.strictObject({
  inputPerMillion: money().describe('US dollars for a million input tokens.'),
  cachedInputPerMillion: money()
    .optional()
    .describe('US dollars for a million input tokens read from a cache; as other input where left out.'),
  outputPerMillion: money().describe('US dollars for a million output tokens; "0" for models that only read.'),
});

/** `spec.models[]`. */
export const providerModelSchema = z.strictObject({
  name: modelName().describe('Name by which backends refer to the model.'),
  upstreamName: modelName().optional().describe('Name that is sent upstream; the same name where left out.'),
  capabilities: listSet(z.enum(modelCapabilities), { max: modelCapabilities.length })
    .optional()
    .describe(
      'What the model can do; not checked where left out, except that Prefill and Responses must be named to be used.',
    ),
  maxContextTokens: integer(1, contextTokensMax)
    .optional()
    .describe('Largest number of input and output tokens together.'),
  maxOutputTokens: integer(1, contextTokensMax).optional().describe('Largest number of output tokens of one answer.'),
  price: priceSchema.optional().describe('What tokens cost; needed by budgets, price caps and the strategy Cheapest.'),
});

/** `spec.models`. 256: more than any vendor's list of chat models, and an object of at most 300 KB. */
export const providerModelsSchema = listMap(providerModelSchema, ['name'], { max: 256 });
