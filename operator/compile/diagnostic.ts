// What the compiler has to say about an object: the raw material of conditions, of `sluice check`, and of nothing else.

import type { Kind } from '../../crds/group.ts';

/** Conditions that a diagnostic makes false (with the reason `Pending`: unknown), and the reasons that it may give. */
export const diagnosticReasons = {
  Accepted: ['Invalid', 'UnsupportedValue', 'Conflicted'],
  ResolvedRefs: [
    'ProviderNotFound',
    'RouteNotFound',
    'SecretNotFound',
    'SecretKeyMissing',
    'ServiceNotFound',
    'RefNotPermitted',
    'ModelNotListed',
  ],
  Usable: ['Disabled', 'Expired', 'Pending'],
  KeysAvailable: ['NoUsableKey'],
} as const;

type Reasons = typeof diagnosticReasons;

/** A condition that a diagnostic can be about. */
export type DiagnosticCondition = keyof Reasons;

/** Reasons, as the conditions of the resources carry them. */
export type DiagnosticReason = Reasons[DiagnosticCondition][number];

/** One problem of one object. */
export interface Diagnostic {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly condition: DiagnosticCondition;
  readonly reason: DiagnosticReason;
  /** `error`: not accepted or not resolved. `warning`: both, but a person should know (`KeysAvailable`, `Usable`). */
  readonly severity: 'error' | 'warning';
  /**
   * `whole`: nothing of the object serves. It is left out; only a route whose references lead nowhere keeps its claims
   * and refuses its requests. `part`: one rule, backend or fallback is left out, the rest serves (PartiallyInvalid).
   * `none`: nothing is left out.
   */
  readonly extent: 'whole' | 'part' | 'none';
  /** Path in the object, e.g. `spec.rules[0].backends[1].providerRef`. */
  readonly field: string;
  /** For people; never secret material, never facts from another namespace. */
  readonly message: string;
}

/** A problem on its own, before it is known whose it is and how much had to be left out. */
export type Finding = Pick<Diagnostic, 'condition' | 'reason' | 'field' | 'message'>;

/** Takes the problems of one object as they are found. */
export type Report = (finding: Finding) => void;

/** The part of an object that diagnostics need. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** A problem in what the object itself says. */
export function notAccepted(reason: Reasons['Accepted'][number], field: string, message: string): Finding {
  return { condition: 'Accepted', reason, field, message };
}

/** A problem with what the object refers to. */
export function notResolved(reason: Reasons['ResolvedRefs'][number], field: string, message: string): Finding {
  return { condition: 'ResolvedRefs', reason, field, message };
}

/** Findings as diagnostics of one object. */
export function toDiagnostics(
  kind: Kind,
  { namespace, name }: Named,
  extent: Diagnostic['extent'],
  findings: readonly Finding[],
): readonly Diagnostic[] {
  return findings.map(({ condition, reason, field, message }) => {
    const severity = condition === 'Accepted' || condition === 'ResolvedRefs' ? 'error' : 'warning';
    return { kind, namespace, name, condition, reason, severity, extent, field, message };
  });
}
