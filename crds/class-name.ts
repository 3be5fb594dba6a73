/** The field that says which installation reconciles an object; the same in all kinds. */
import { withRules } from './rule.ts';
import { label } from './scalars.ts';

/** `spec.className`. */
export function className() {
  return withRules(label(), [
    // Only the API server sees the previous object, so zod has no part in this.
    { cel: 'self == oldSelf', message: 'className cannot be changed; make a new object' },
  ])
    .default('default')
    .describe('Name of the installation that reconciles this object; two installations can share a cluster.');
}
