/** The field that says which installation reconciles an object; the same in all kinds. */
import { type TransitionRule, withRules } from './rule.ts';
import { label } from './scalars.ts';

// Only the API server sees the previous object, so zod has no part in this.
const immutable: TransitionRule = { cel: 'self == oldSelf', message: 'className cannot be changed; make a new object' };

/** `spec.className`. */
export function className() {
  return withRules(label(), [immutable])
    .default('default')
    .describe('Name of the installation that reconciles this object; two installations can share a cluster.');
}
