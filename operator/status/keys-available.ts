// Whether a provider has a credential to send: the pool as a whole, where each LLMKey speaks for itself.

import type { ProviderFacts } from './facts.ts';
import { findingsOf } from './findings.ts';
import { type AnyVerdict, firstOpen, type Verdict } from './verdict.ts';

type Facts = Pick<ProviderFacts, 'diagnostics' | 'credentials' | 'keys'>;

/** `earlier`: what has been decided about the provider; keys cannot join a provider that is not in order. */
export function checkKeysAvailable(facts: Facts, earlier: readonly AnyVerdict[]): Verdict<'KeysAvailable'> {
  const type = 'KeysAvailable';
  const { credentials, keys } = facts;
  if (credentials !== 'KeyPool') {
    return { type, status: 'True', reason: 'NotRequired', message: `with credentials ${credentials} it needs no keys` };
  }
  const open = firstOpen(earlier);
  if (open !== undefined) {
    return { type, status: 'Unknown', reason: 'Pending', message: `its keys count once ${open.type} is True` };
  }
  const [empty] = findingsOf(facts.diagnostics, { condition: type, reasons: ['NoUsableKey'] });
  if (empty !== undefined || keys.usable === 0) {
    return { type, status: 'False', reason: 'NoUsableKey', message: describeEmpty(keys.total) };
  }
  return { type, status: 'True', reason: 'KeysAvailable', message: `${keys.usable} of ${keys.total} keys can be used` };
}

function describeEmpty(total: number): string {
  if (total === 0) return 'no LLMKey names this provider';
  return `no key can be used: see the condition Usable of the LLMKeys that name this provider (${total})`;
}
