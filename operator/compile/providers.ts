// LLMProviders: from a resource to what a proxy needs to send requests there.

import type { LLMProvider } from '../../crds/llm-provider.ts';
import type { ModelConfig, ProviderConfig, TimeoutsConfig } from '../../proxy/config/schema.ts';
import { resolveCertificates } from './certificates.ts';
import { checkIdentity } from './cloud-identity.ts';
import { defined } from './defined.ts';
import { type Diagnostic, type Finding, toDiagnostics } from './diagnostic.ts';
import { resolveEndpoint } from './endpoint.ts';
import { type Facts, idOf } from './facts.ts';
import { keepProviders } from './last-good.ts';
import { toMicroDollars } from './money.ts';
import { findUnsupported } from './supported.ts';

type Spec = LLMProvider['spec'];

/** Providers that are accepted and resolved, by id, and what is wrong with the others. */
export interface CompiledProviders {
  readonly configs: ReadonlyMap<string, ProviderConfig>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles all providers. A provider is left out as a whole: half a provider would be another one. */
export function compileProviders(facts: Facts): CompiledProviders {
  const configs = new Map(keepProviders(facts).map((form) => [form.id, form]));
  const diagnostics: Diagnostic[] = [];
  for (const provider of facts.providers) {
    const findings: Finding[] = [];
    const config = compileProvider(provider, facts, findings);
    if (config !== undefined) configs.set(config.id, config);
    diagnostics.push(...toDiagnostics('LLMProvider', provider.metadata, 'whole', findings));
  }
  return { configs, diagnostics };
}

function compileProvider(provider: LLMProvider, facts: Facts, findings: Finding[]): ProviderConfig | undefined {
  const { metadata, spec } = provider;
  const report = (finding: Finding): void => void findings.push(finding);
  for (const finding of findUnsupported('LLMProvider', provider)) report(finding);
  const endpoint = resolveEndpoint(provider, facts, report);
  const caCertificates = resolveCertificates(provider, facts, report);
  checkIdentity(provider, facts, report);
  if (endpoint === undefined || findings.length > 0) return undefined;
  return defined<ProviderConfig>({
    id: idOf(metadata),
    type: spec.type,
    ...endpoint,
    credentials: toCredentials(spec.credentials),
    models: (spec.models ?? []).map(toModel),
    attributes: { ...spec.attributes },
    limits: [...(spec.limits ?? [])],
    timeouts: toTimeouts(spec.timeouts),
    probe: toProbe(spec.health?.probe),
    tls: spec.tls && defined({ caCertificates, serverName: spec.tls.serverName }),
    egressProxyURL: spec.egressProxyURL,
    azure: spec.azure && { ...spec.azure },
    bedrock: spec.bedrock && { ...spec.bedrock },
    vertexAI: spec.vertexAI && { ...spec.vertexAI },
    cloudflare: spec.cloudflare && { ...spec.cloudflare },
  });
}

function toCredentials({ type, keyPool }: Spec['credentials']): ProviderConfig['credentials'] {
  if (type !== 'KeyPool') return { type };
  return { type, keyPool: { strategy: keyPool?.strategy ?? 'RoundRobin', stickiness: keyPool?.stickiness ?? 'None' } };
}

function toModel(model: NonNullable<Spec['models']>[number]): ModelConfig {
  const { name, upstreamName = name, capabilities, maxContextTokens, maxOutputTokens, price } = model;
  return defined({
    name,
    upstreamName,
    capabilities: capabilities && [...capabilities],
    maxContextTokens,
    maxOutputTokens,
    price: price && toPrice(price),
  });
}

function toPrice(price: NonNullable<NonNullable<Spec['models']>[number]['price']>): ModelConfig['price'] {
  const { inputPerMillion, cachedInputPerMillion: cached, outputPerMillion } = price;
  return defined({
    inputPerMillion: toMicroDollars(inputPerMillion),
    cachedInputPerMillion: cached === undefined ? undefined : toMicroDollars(cached),
    outputPerMillion: toMicroDollars(outputPerMillion),
  });
}

/** Timeouts where a provider does not say; the sentences of its API name the same numbers. */
export const timeoutDefaults: TimeoutsConfig = {
  // A connection across the world takes less than one second, and a SYN that got lost is sent again after one and three.
  connectSeconds: 5,
  // A long prompt on a busy model takes tens of seconds; a model that reasons in silence must be given more.
  firstContentSeconds: 60,
  // The head of an answer that is not a stream comes when the whole text is written: minutes, where it is long.
  responseSeconds: 300,
  // Models that have begun to write pause for seconds; a minute without content is a stream that has died.
  idleSeconds: 60,
  // The official SDKs of OpenAI and Anthropic give up after ten minutes.
  totalSeconds: 600,
};

/** Not capped by the total: a rule may give another one, and the proxy caps what is in force with that. */
function toTimeouts(timeouts: Spec['timeouts'] = {}): TimeoutsConfig {
  const seconds = (name: keyof TimeoutsConfig): number => timeouts[name] ?? timeoutDefaults[name];
  return {
    connectSeconds: seconds('connectSeconds'),
    firstContentSeconds: seconds('firstContentSeconds'),
    responseSeconds: seconds('responseSeconds'),
    idleSeconds: seconds('idleSeconds'),
    totalSeconds: seconds('totalSeconds'),
  };
}

/** A probe that is not given a time of its own may last until the next one. */
function toProbe(probe: NonNullable<Spec['health']>['probe'] | undefined): ProviderConfig['probe'] {
  if (probe === undefined) return undefined;
  const { path, periodSeconds, timeoutSeconds = periodSeconds, unhealthyAfterMillis } = probe;
  return defined({ path, periodSeconds, timeoutSeconds, unhealthyAfterMillis });
}
