// Facts about one object that is in order and served by two proxies; tests say what is different.

import type { Diagnostic, DiagnosticCondition, DiagnosticReason } from '../../../operator/compile/diagnostic.ts';
import type { Condition, KeyFacts, ObjectFacts, ProviderFacts, RouteFacts } from '../../../operator/status/facts.ts';
import type { DisabledTarget, ProxyReport } from '../../../operator/status/proxy-report.ts';

/** When the tests happen. */
export const now = '2026-06-01T12:00:00Z';

/** When that which was there before began. */
export const earlier = '2026-05-01T12:00:00Z';

/** The revision since which the object is as it is. */
export const since = 1000;

const objectFacts: ObjectFacts = {
  id: 'team-a/chat',
  generation: 3,
  previous: [],
  diagnostics: [],
  publication: { type: 'published', since },
  proxies: [proxyAt(since, 'proxy-0'), proxyAt(since + 5, 'proxy-1')],
  now,
};

/** A provider with a pool of two keys. */
export function providerFacts(different: Partial<ProviderFacts> = {}): ProviderFacts {
  return { ...objectFacts, credentials: 'KeyPool', keys: { usable: 2, total: 2 }, ...different };
}

/** A route with two backends. */
export function routeFacts(different: Partial<RouteFacts> = {}): RouteFacts {
  return {
    ...objectFacts,
    backends: ['one', 'two'],
    served: new Set(['one', 'two']),
    disabled: new Map(),
    models: ['chat-large'],
    strategies: ['Random'],
    ...different,
  };
}

/** An upstream key. */
export function keyFacts(different: Partial<KeyFacts> = {}): KeyFacts {
  return {
    ...objectFacts,
    type: 'Upstream',
    tenant: undefined,
    secretName: 'chat',
    lastRotationTime: undefined,
    disabled: undefined,
    exhaustedBudgets: [],
    generationProblem: undefined,
    ...different,
  };
}

/** A diagnostic of the object. */
export function diagnostic(
  condition: DiagnosticCondition,
  reason: DiagnosticReason,
  different: Partial<Diagnostic> = {},
): Diagnostic {
  const severity = condition === 'Accepted' || condition === 'ResolvedRefs' ? 'error' : 'warning';
  return {
    kind: 'LLMRoute',
    namespace: 'team-a',
    name: 'chat',
    condition,
    reason,
    severity,
    extent: 'whole',
    field: 'spec.some.field',
    message: `says ${reason}`,
    ...different,
  };
}

/** A proxy that serves a revision, or has not answered. */
export function proxyAt(
  revision: number | undefined,
  proxy = 'proxy-0',
  refusal?: ProxyReport['refusal'],
): ProxyReport {
  return { proxy, revision, refusal, disabled: [] };
}

/** An upstream key that is taken out of selection. */
export function disabledKey(reason: string, different: Partial<DisabledTarget> = {}): DisabledTarget {
  return { kind: 'key', id: 'team-a/chat', hard: true, reason, until: '2026-06-01T12:15:00Z', ...different };
}

/** A condition as it was before. */
export function before(type: string, status: Condition['status'], reason: string = type): Condition {
  return { type, status, observedGeneration: 3, lastTransitionTime: earlier, reason, message: `was ${reason}` };
}

/** The condition of a status. */
export function conditionOf(
  status: { readonly conditions?: readonly unknown[] | undefined },
  type: string,
): Condition | undefined {
  const conditions = (status.conditions ?? []) as readonly Condition[];
  return conditions.find((condition) => condition.type === type);
}
