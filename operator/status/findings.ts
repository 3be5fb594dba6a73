// Diagnostics as conditions need them: those of one condition, and as one message.

import type { Diagnostic, DiagnosticCondition } from '../compile/diagnostic.ts';
import { joinBounded, messageBytesMax } from './bounded-text.ts';

/** A diagnostic that gives one of certain reasons. */
export type Finding<Reason extends string> = Diagnostic & { readonly reason: Reason };

/** The diagnostics about one condition that give one of these reasons, in the order in which they were found. */
export function findingsOf<Reason extends string>(
  diagnostics: readonly Diagnostic[] = [],
  { condition, reasons }: { readonly condition: DiagnosticCondition; readonly reasons: readonly Reason[] },
): readonly Finding<Reason>[] {
  const gives = (finding: Diagnostic): finding is Finding<Reason> =>
    reasons.some((reason) => reason === finding.reason);
  return diagnostics.filter((finding) => finding.condition === condition).filter(gives);
}

/** All of them as one message: `field: message; field: message`. */
export function listFindings(findings: readonly Diagnostic[]): string {
  const parts = findings.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  return joinBounded(parts, { separator: '; ', bytesMax: messageBytesMax });
}
