// Providers that are shown who the proxies are in their cloud: it is everybody's, so that not everybody may.

import { identityLabel } from '../../crds/group.ts';
import type { LLMProvider } from '../../crds/llm-provider.ts';
import type { ProviderType } from '../../proxy/config/schema.ts';
import { notAccepted, notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';

/** Vendors that proxies of this version have an identity for. */
const types: readonly ProviderType[] = ['Bedrock', 'VertexAI'];

/** Says why a provider may not use the identity of the proxies. */
export function checkIdentity({ metadata, spec }: LLMProvider, facts: Facts, report: Report): void {
  if (spec.credentials?.type !== 'Workload') return;
  const field = 'spec.credentials.type';
  if (!types.includes(spec.type)) {
    const message = `this version supports cloud identities only for ${types.join(' and ')}`;
    report(notAccepted('UnsupportedValue', field, message));
    return;
  }
  // Whoever names the address would be shown a token of the proxies'.
  if (spec.endpoint !== undefined) {
    const message =
      "must not be given where credentials.type is Workload: the proxies' identity is the vendor's to see";
    report(notAccepted('Invalid', 'spec.endpoint', message));
  }
  const isAllowed =
    facts.world.source === 'files' || facts.namespaces.get(metadata.namespace)?.[identityLabel] === 'true';
  if (isAllowed) return;
  const message = `the namespace must have the label ${identityLabel}: "true", which an administrator gives it`;
  report(notResolved('RefNotPermitted', field, message));
}
