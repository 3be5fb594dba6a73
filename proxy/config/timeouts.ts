// Deadlines of an attempt: the provider's, overridden by the rule's, capped by the total (failure.md, rule 10).

import type { RuleConfig, TimeoutsConfig } from './schema.ts';
import type { Timeouts } from './snapshot.ts';

/** Merges a provider's timeouts with a rule's and turns seconds into milliseconds. */
export function compileTimeouts(provider: TimeoutsConfig, rule: RuleConfig['timeouts']): Timeouts {
  const seconds = (name: keyof TimeoutsConfig): number => rule[name] ?? provider[name];
  const totalMs = seconds('totalSeconds') * 1000;
  const capped = (name: keyof TimeoutsConfig): number => Math.min(seconds(name) * 1000, totalMs);
  return {
    connectMs: capped('connectSeconds'),
    firstContentMs: capped('firstContentSeconds'),
    responseMs: capped('responseSeconds'),
    idleMs: capped('idleSeconds'),
    totalMs,
  };
}
