// The whole status of an LLMProvider.

import type { LLMProvider } from '../../crds/llm-provider.ts';
import { settle } from './conditions.ts';
import { checkDiagnosed } from './diagnosed.ts';
import type { ProviderFacts } from './facts.ts';
import { checkKeysAvailable } from './keys-available.ts';
import { checkProgrammed } from './programmed.ts';

/** `status` of an LLMProvider. */
export type ProviderStatus = NonNullable<LLMProvider['status']>;

/** The bound of the schema for both numbers. */
const keysMax = 100_000;

/** Decides the status of an LLMProvider. */
export function decideProviderStatus(facts: ProviderFacts): ProviderStatus {
  const diagnosed = checkDiagnosed(facts);
  const programmed = checkProgrammed(facts, diagnosed);
  const settled = settle(facts, [...diagnosed, programmed, checkKeysAvailable(facts, diagnosed)]);
  if (facts.credentials !== 'KeyPool') return settled;
  const keys = { usable: Math.min(facts.keys.usable, keysMax), total: Math.min(facts.keys.total, keysMax) };
  return { ...settled, keys, summary: { keys: `${keys.usable}/${keys.total}` } };
}
