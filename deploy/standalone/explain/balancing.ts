// How backends of one priority are ordered, in words.

import type { Backend, Rule } from '../../../proxy/config/snapshot.ts';

/** The strategy, and what it goes by. */
export function describeStrategy({ strategy, affinity, slotWaitMs, plugin }: Rule): string {
  if (plugin !== undefined) return `Plugin ${plugin.module} (within ${plugin.timeoutMs} ms, else Random)`;
  if (slotWaitMs !== undefined)
    return `FirstAvailable (one request at a time each; waits up to ${slotWaitMs / 1000} s)`;
  if (strategy !== 'Affinity') return strategy;
  const { on = 'Conversation', headerName } = affinity ?? {};
  return `Affinity by ${on === 'Header' ? `header ${headerName}` : on.toLowerCase()}`;
}

/** That some come first. */
export function describeWishes({ preference }: Rule): string {
  return preference === undefined ? '' : ', those that the rule prefers first';
}

/** Whether a backend is among those that come first, as far as the configuration says. */
export function describePreferred(rule: Rule | undefined, backend: Backend): readonly string[] {
  return rule?.preference?.rankOf(backend, undefined) === 0 ? ['preferred'] : [];
}
