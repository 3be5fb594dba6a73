// LLMKeys of type Upstream: the pools of the providers.

import type { LLMKey } from '../../crds/llm-key.ts';
import type { Credentials, ProviderConfig, UpstreamKeyConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import { type Diagnostic, type Finding, notAccepted, type Report, toDiagnostics } from './diagnostic.ts';
import { digestOfKey } from './digest.ts';
import { type Facts, idOf } from './facts.ts';
import { createMaterialClaims, expiryOf, reportState, reportTwin, resolveMaterial } from './key-material.ts';
import { resolveProvider } from './references.ts';
import { findUnsupported } from './supported.ts';

type Providers = ReadonlyMap<string, ProviderConfig>;

/** Keys of the pools, with their credentials apart. */
export interface CompiledUpstreamKeys {
  readonly configs: readonly UpstreamKeyConfig[];
  readonly credentials: Credentials['upstream'];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles all upstream keys. One that is switched off stays visible in its pool, without its credential. */
export function compileUpstreamKeys(facts: Facts, providers: Providers): CompiledUpstreamKeys {
  const configs: UpstreamKeyConfig[] = [];
  const credentials: Credentials['upstream'] = [];
  const diagnostics: Diagnostic[] = [];
  const claims = createMaterialClaims();
  for (const key of facts.keys) {
    if (key.spec.upstream === undefined) continue;
    const findings: Finding[] = [];
    const report: Report = (finding) => void findings.push(finding);
    for (const finding of findUnsupported('LLMKey', key)) report(finding);
    const provider = resolvePool(key, key.spec.upstream, facts, providers, report);
    const value = resolveMaterial(key, facts, report, provider?.type);
    const sound = findings.length === 0 && provider !== undefined && value !== undefined;
    // Twice in one pool, a secret would get twice its share. In two pools it may be: vendors have several addresses.
    const owned = sound && claims(provider.id, digestOfKey(value));
    if (sound && !owned) reportTwin(key, report);
    reportState(key, facts.world.now, report);
    const reasons = findings.map(({ reason }) => reason);
    if (owned && !reasons.includes('Expired')) configs.push(toConfig(key, key.spec.upstream, provider));
    if (owned && reasons.length === 0) {
      credentials.push(defined({ id: idOf(key.metadata), value, expiresAt: expiryOf(key) }));
    }
    diagnostics.push(...toDiagnostics('LLMKey', key.metadata, 'whole', findings));
  }
  return { configs, credentials, diagnostics };
}

type UpstreamSpec = NonNullable<LLMKey['spec']['upstream']>;

/** The provider whose pool the key joins. */
function resolvePool(
  { metadata }: LLMKey,
  { providerRef }: UpstreamSpec,
  facts: Facts,
  providers: Providers,
  report: Report,
): ProviderConfig | undefined {
  const field = 'spec.upstream.providerRef';
  const reference = { fromKind: 'LLMKey', fromNamespace: metadata.namespace, ref: providerRef } as const;
  const provider = resolveProvider(facts, providers, reference, field, report);
  if (provider === undefined || provider.credentials.type === 'KeyPool') return provider;
  const message = `LLMProvider "${providerRef.name}" takes no keys: its credentials are ${provider.credentials.type}`;
  report(notAccepted('Invalid', field, message));
  return undefined;
}

function toConfig({ metadata, spec }: LLMKey, upstream: UpstreamSpec, provider: ProviderConfig): UpstreamKeyConfig {
  const { models = [], weight = 1, priority = 0, organization, project } = upstream;
  return defined({
    id: idOf(metadata),
    provider: provider.id,
    state: spec.state,
    models: [...models],
    weight,
    priority,
    organization,
    project,
    limits: [...(spec.limits ?? [])],
  });
}

/** Warns about every pool that has nothing to offer: the provider stays, and its requests fail until a key comes. */
export function checkPools(providers: Providers, credentials: CompiledUpstreamKeys): readonly Diagnostic[] {
  const usable = new Set(credentials.credentials.map(({ id }) => id));
  const served = new Set(credentials.configs.filter(({ id }) => usable.has(id)).map(({ provider }) => provider));
  return [...providers.values()]
    .filter(({ id, credentials: { type } }) => type === 'KeyPool' && !served.has(id))
    .flatMap(({ id }) => {
      const [namespace = '', name = ''] = id.split('/');
      const message = 'no LLMKey of type Upstream that names this provider is usable';
      const finding = {
        condition: 'KeysAvailable',
        reason: 'NoUsableKey',
        field: 'spec.credentials',
        message,
      } as const;
      return toDiagnostics('LLMProvider', { namespace, name }, 'none', [finding]);
    });
}
