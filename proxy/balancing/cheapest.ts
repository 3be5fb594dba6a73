// Cheapest: the lowest price of this very request: its estimated input, and the longest answer that it may get.

import { least } from './least.ts';
import type { Picker, PickContext, Weighed } from './picker.ts';

/** Tokens of an answer where the client sets no limit: most answers of chats are shorter than that. */
const outputTokensUsual = 1024;

/** Makes the picker. A model without prices comes after all that have them; equal prices are shared at random. */
export function createCheapest(random: () => number): Picker {
  return { pick: (eligible, context) => least(eligible, random, (backend) => priceOf(backend, context)) };
}

/** Price of a request, in millionths of a millionth of a US dollar; Infinity where the model has no price. */
export function priceOf({ modelConfig }: Weighed, { inputTokens, outputTokensMax }: PickContext): number {
  const { inputPerMillion, outputPerMillion } = modelConfig?.price ?? {};
  if (inputPerMillion === undefined || outputPerMillion === undefined) return Infinity;
  const outputTokens = Math.min(outputTokensMax ?? outputTokensUsual, modelConfig?.maxOutputTokens ?? Infinity);
  return inputTokens * inputPerMillion + outputTokens * outputPerMillion;
}
