// What a check says about one condition, before it is known when that began: the type keeps reasons to their conditions.

import type { conditionReasons } from '../../crds/conditions.ts';

type Reasons = typeof conditionReasons;

/** Type of a condition of ours. */
export type ConditionType = keyof Reasons;

type Status = 'True' | 'False' | 'Unknown';

/** Reasons of one condition with one status. Ready repeats those of the others. */
type Reason<Type extends ConditionType, S extends Status> = Type extends 'Ready' ? string : Reasons[Type][S][number];

/** What a check of one condition says. */
export type Verdict<Type extends ConditionType> = {
  readonly [S in Status]: {
    readonly type: Type;
    readonly status: S;
    readonly reason: Reason<Type, S>;
    readonly message: string;
  };
}[Status];

/** What a check of any condition says. */
export interface AnyVerdict {
  readonly type: ConditionType;
  readonly status: Status;
  readonly reason: string;
  readonly message: string;
}

/** The first that is not known to hold, for those whose own verdict waits for it. */
export function firstOpen(verdicts: readonly AnyVerdict[]): AnyVerdict | undefined {
  return verdicts.find(({ status }) => status !== 'True');
}
