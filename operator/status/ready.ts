// The summary that `kubectl wait --for=condition=Ready` and kstatus look at: everything about the object is in order, and
// all of it is served. It is False too while a part is left out, because what was asked for is not what is done; that
// takes nothing from the part that serves.

import type { AnyVerdict, Verdict } from './verdict.ts';

/** `verdicts`: every other condition, in the order in which a person should mend them. */
export function checkReady(verdicts: readonly AnyVerdict[]): Verdict<'Ready'> {
  const type = 'Ready';
  const failing = verdicts.find(isFailing);
  if (failing !== undefined) return { type, status: 'False', reason: failing.reason, message: failing.message };
  const unknown = verdicts.find(({ status }) => status === 'Unknown');
  if (unknown !== undefined) return { type, status: 'Unknown', reason: unknown.reason, message: unknown.message };
  return { type, status: 'True', reason: 'Ready', message: 'it is in order, and every proxy serves it' };
}

function isFailing({ type, status }: AnyVerdict): boolean {
  return type === 'PartiallyInvalid' ? status === 'True' : status === 'False';
}
