// The whole status of an LLMKey.

import type { LLMKey } from '../../crds/llm-key.ts';
import { settle } from './conditions.ts';
import { checkDiagnosed } from './diagnosed.ts';
import type { KeyFacts } from './facts.ts';
import { checkProgrammed } from './programmed.ts';
import { checkUsable } from './usable.ts';

/** `status` of an LLMKey. */
export type KeyStatus = NonNullable<LLMKey['status']>;

/** Decides the status of an LLMKey. */
export function decideKeyStatus(facts: KeyFacts): KeyStatus {
  const { tenant, secretName, lastRotationTime } = facts;
  const diagnosed = checkDiagnosed(facts);
  const usable = checkUsable(facts, diagnosed);
  // A key that is switched off is not published, so what is said about its use explains why it is not served.
  const programmed = checkProgrammed(facts, [...diagnosed, usable]);
  return {
    ...settle(facts, [...diagnosed, programmed, usable]),
    ...(tenant === undefined ? {} : { tenant }),
    ...(secretName === undefined ? {} : { secretName }),
    ...(lastRotationTime === undefined ? {} : { lastRotationTime }),
  };
}
