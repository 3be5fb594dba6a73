// LLMKeys of type Client: who a key proves to be, and what it opens.

import { tenantLabel } from '../../crds/group.ts';
import type { LLMKey } from '../../crds/llm-key.ts';
import type { ClientKeyConfig, Credentials } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import { type Diagnostic, type Finding, notAccepted, type Report, toDiagnostics } from './diagnostic.ts';
import { digestOfKey } from './digest.ts';
import { type Facts, idOf } from './facts.ts';
import {
  createMaterialClaims,
  expiryOf,
  type MaterialClaims,
  reportState,
  reportTwin,
  resolveMaterial,
  resolvePrevious,
} from './key-material.ts';
import { toMicroDollars } from './money.ts';
import { findUnsupported } from './supported.ts';

type ClientSpec = NonNullable<LLMKey['spec']['client']>;

/** Client keys that open something, with their digests apart. */
export interface CompiledClientKeys {
  readonly configs: readonly ClientKeyConfig[];
  readonly credentials: Credentials['clients'];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles all client keys. */
export function compileClientKeys(facts: Facts): CompiledClientKeys {
  const configs: ClientKeyConfig[] = [];
  const credentials: Credentials['clients'] = [];
  const diagnostics: Diagnostic[] = [];
  const claims = createMaterialClaims();
  for (const key of facts.keys) {
    const { client } = key.spec;
    if (client === undefined) continue;
    const findings: Finding[] = [];
    const report: Report = (finding) => void findings.push(finding);
    for (const finding of findUnsupported('LLMKey', key)) report(finding);
    const tenant = resolveTenant(key, client, facts, report);
    const value = resolveMaterial(key, facts, report);
    // One secret proves one principal, in the whole class. It is held even by a key that is switched off or has expired:
    // otherwise a younger twin would go on opening doors.
    const secrets = findings.length === 0 && value !== undefined ? claimSecrets(key, value, facts, claims) : [];
    if (findings.length === 0 && secrets.length === 0) reportTwin(key, report);
    reportState(key, facts.world.now, report);
    if (findings.length === 0 && tenant !== undefined) {
      configs.push(toConfig(key, client, tenant));
      credentials.push(...secrets);
    }
    diagnostics.push(...toDiagnostics('LLMKey', key.metadata, 'whole', findings));
  }
  return { configs, credentials, diagnostics };
}

/**
 * The digests of a key: of the current one, and of the one before while it works. None if an older key holds the
 * current one; where it holds only the one before, that one proves the older key, and a renewal ends the conflict.
 */
function claimSecrets(key: LLMKey, value: string, facts: Facts, claims: MaterialClaims): Credentials['clients'] {
  const id = idOf(key.metadata);
  const expiresAt = expiryOf(key);
  const sha256 = digestOfKey(value);
  if (!claims('client', sha256)) return [];
  const previous = resolvePrevious(key, facts);
  const before = previous && {
    id,
    sha256: digestOfKey(previous.value),
    expiresAt: Math.min(previous.until, expiresAt ?? Infinity),
  };
  return [defined({ id, sha256, expiresAt }), ...(before && claims('client', before.sha256) ? [before] : [])];
}

/** The namespace is the tenant, unless an administrator gave the namespace another one. */
function resolveTenant({ metadata }: LLMKey, client: ClientSpec, facts: Facts, report: Report): string | undefined {
  const { namespace } = metadata;
  const { tenant = namespace } = client;
  if (tenant === namespace || facts.namespaces.get(namespace)?.[tenantLabel] === tenant) return tenant;
  const message = `must be the namespace, or the value of the label ${tenantLabel} that an administrator gave the namespace`;
  report(notAccepted('Invalid', 'spec.client.tenant', message));
  return undefined;
}

function toConfig({ metadata, spec }: LLMKey, client: ClientSpec, tenant: string): ClientKeyConfig {
  return {
    id: idOf(metadata),
    namespace: metadata.namespace,
    tenant,
    labels: { ...metadata.labels },
    models: [...client.models],
    limits: [...(spec.limits ?? [])],
    budgets: (client.budgets ?? []).map(({ name, amount, window, onExceeded = 'Reject', warnPercent }) =>
      defined({ name, amount: toMicroDollars(amount), window, onExceeded, warnPercent }),
    ),
  };
}
