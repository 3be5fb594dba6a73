// From verdicts to `status.conditions`: with their summary, the generation that they are about, and since when they hold.

import { boundText, messageBytesMax } from './bounded-text.ts';
import type { Condition, ObjectFacts } from './facts.ts';
import { checkReady } from './ready.ts';
import type { AnyVerdict } from './verdict.ts';

/** What the status of every kind has. */
export interface Settled {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

/** Every verdict, and Ready, as a condition. Equal facts give equal conditions in the same order. */
export function settle(
  facts: Pick<ObjectFacts, 'generation' | 'previous' | 'now'>,
  verdicts: readonly AnyVerdict[],
): Settled {
  const { generation, previous, now } = facts;
  const conditions = [...verdicts, checkReady(verdicts)].map(({ type, status, reason, message }): Condition => {
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      reason,
      message: boundText(message, messageBytesMax),
    };
  });
  return { observedGeneration: generation, conditions };
}
