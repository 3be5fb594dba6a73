// Which changes of an object's conditions are worth an Event: those that a person acts on, each cause once.

import { boundText, messageBytesMax } from './bounded-text.ts';
import type { Condition } from './facts.ts';

/** What an Event of events.k8s.io says about an object. */
export interface Transition {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What the operator was doing. */
  readonly action: string;
  readonly note: string;
}

const actions: ReadonlyMap<string, string> = new Map([
  ['Accepted', 'Compile'],
  ['ResolvedRefs', 'ResolveReferences'],
  ['PartiallyInvalid', 'Compile'],
  ['Programmed', 'Publish'],
  ['KeysAvailable', 'CheckKeys'],
  ['Usable', 'CheckKey'],
]);

/** Said by every object at once when the last proxy goes, and again when one comes: no news about any of them. */
const everyObjectsReason = 'NoProxies';

/**
 * What to record after the conditions of an object have changed. What becomes False, or False for another reason, is a
 * warning; what becomes True after False is normal. Unknown makes no Event, on the way there or back. Ready repeats the
 * others, so it speaks only where none of them does: when it is True from the beginning, or again.
 */
export function findTransitions(previous: readonly Condition[], next: readonly Condition[]): readonly Transition[] {
  const before = new Map(previous.map((condition) => [condition.type, condition]));
  const found: Transition[] = [];
  for (const condition of next) {
    const earlier = before.get(condition.type);
    const transition = condition.type === 'Ready' ? undefined : judge(earlier, condition);
    // PartiallyInvalid says the same as ResolvedRefs where the part that is left out is a reference.
    if (transition !== undefined && found.every(({ note }) => note !== transition.note)) found.push(transition);
  }
  if (found.length > 0) return found;
  return next.filter((condition) => isReadyAgain(before.get(condition.type), condition)).map(toNormal);
}

function judge(before: Condition | undefined, now: Condition): Transition | undefined {
  if (now.reason === everyObjectsReason || now.status === 'Unknown') return undefined;
  if (now.type === 'PartiallyInvalid') return before?.status === 'True' ? undefined : toWarning(now);
  if (now.status === 'True') return isMended(before) ? toNormal(now) : undefined;
  return before?.status === 'False' && before.reason === now.reason ? undefined : toWarning(now);
}

function isReadyAgain(before: Condition | undefined, { type, status }: Condition): boolean {
  return type === 'Ready' && status === 'True' && (before === undefined || isMended(before));
}

function isMended(before: Condition | undefined): boolean {
  return before?.status === 'False' && before.reason !== everyObjectsReason;
}

function toWarning(condition: Condition): Transition {
  return toTransition('Warning', condition);
}

function toNormal(condition: Condition): Transition {
  return toTransition('Normal', condition);
}

function toTransition(kind: Transition['type'], { type, reason, message }: Condition): Transition {
  return { type: kind, reason, action: actions.get(type) ?? 'Reconcile', note: boundText(message, messageBytesMax) };
}
