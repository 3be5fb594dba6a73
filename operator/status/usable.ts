// Whether requests are made, or let in, with a key. States that pass by themselves within minutes are metrics: only what
// a proxy calls hard is said here.

import type { KeyFacts } from './facts.ts';
import { findingsOf, listFindings } from './findings.ts';
import { joinBounded, messageBytesMax } from './bounded-text.ts';
import { type AnyVerdict, firstOpen, type Verdict } from './verdict.ts';

type Facts = Pick<KeyFacts, 'type' | 'diagnostics' | 'generationProblem' | 'disabled' | 'exhaustedBudgets'>;
type Usable = Verdict<'Usable'>;

const type = 'Usable';

/** `earlier`: what has been decided about the key. What its owner has ended is not usable, whatever else is wrong. */
export function checkUsable(facts: Facts, earlier: readonly AnyVerdict[]): Usable {
  return (
    findEnd(facts) ??
    findWait(facts, earlier) ??
    findRefusal(facts) ??
    findExhaustion(facts) ?? { type, status: 'True', reason: 'Usable', message: 'it can be used' }
  );
}

function findEnd({ diagnostics }: Facts): Usable | undefined {
  const findings = findingsOf(diagnostics, { condition: type, reasons: ['Disabled', 'Expired'] });
  const [first] = findings;
  return first && { type, status: 'False', reason: first.reason, message: listFindings(findings) };
}

function findWait({ diagnostics, generationProblem }: Facts, earlier: readonly AnyVerdict[]): Usable | undefined {
  const open = firstOpen(earlier);
  if (open !== undefined) return pending(`whether it can be used is known once ${open.type} is True`);
  if (generationProblem !== undefined) return pending(generationProblem);
  const findings = findingsOf(diagnostics, { condition: type, reasons: ['Pending'] });
  return findings.length === 0 ? undefined : pending(listFindings(findings));
}

/** What the provider said to a proxy that showed it the key. */
function findRefusal({ type: keyType, disabled }: Facts): Usable | undefined {
  if (keyType !== 'Upstream' || disabled?.hard !== true) return undefined;
  const next = disabled.until === undefined ? '' : `; it is tried again at ${disabled.until}`;
  switch (disabled.reason) {
    case 'Authentication':
    case 'Permission': {
      const message = `the provider refuses the key (${disabled.reason})${next}`;
      return { type, status: 'False', reason: 'AuthenticationFailed', message };
    }
    case 'Quota': {
      const message = `the provider says that the quota of the key is used up${next}`;
      return { type, status: 'False', reason: 'QuotaExhausted', message };
    }
    default:
      return undefined;
  }
}

function findExhaustion({ type: keyType, exhaustedBudgets }: Facts): Usable | undefined {
  if (keyType !== 'Client' || exhaustedBudgets.length === 0) return undefined;
  const names = exhaustedBudgets.map((name) => `the budget ${name} is used up`);
  const message = joinBounded(names, { separator: '; ', bytesMax: messageBytesMax });
  return { type, status: 'False', reason: 'BudgetExhausted', message };
}

function pending(message: string): Usable {
  return { type, status: 'Unknown', reason: 'Pending', message };
}
