// The secret behind an LLMKey, whoever made it, and who owns it where two keys have the same.

import type { LLMKey } from '../../crds/llm-key.ts';
import type { ProviderType } from '../../proxy/config/schema.ts';
import { isCloudKey, problemOfCloudKey } from './cloud-key.ts';
import { type Finding, notAccepted, notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import { findPrevious, generatedEntries, isMadeFor, type PreviousKey } from './generated-key.ts';
import { isCredential, resolveSecretEntry } from './references.ts';

/** No header may be longer: 16 KiB is what servers take for all headers together. Longer client keys are not read. */
const lengthMax = { Upstream: 8192, Client: 4096 } as const;

/**
 * The value of a key, or undefined with a report of why there is none. `type` is the vendor that an upstream key is for,
 * where that is known.
 */
export function resolveMaterial(key: LLMKey, facts: Facts, report: Report, type?: ProviderType): string | undefined {
  const { metadata, spec } = key;
  const { generate } = spec.client ?? {};
  const value =
    generate === undefined
      ? spec.secretRef && resolveSecretEntry(facts, metadata.namespace, spec.secretRef, 'spec.secretRef', report)
      : resolveGenerated(key, generate.secretName, facts, report);
  const message = value === undefined ? undefined : problemOf(value, spec.type, type);
  if (message === undefined) return value;
  report(notResolved('SecretKeyMissing', materialField(key), message));
  return undefined;
}

function problemOf(value: string, kind: LLMKey['spec']['type'], type: ProviderType | undefined): string | undefined {
  const max = lengthMax[kind];
  if (kind === 'Upstream' && value.length <= max && isCloudKey(value, type)) return problemOfCloudKey(value, type);
  if (isSendable(value, max)) return undefined;
  return `the key must be at most ${max} characters of ASCII on one line: it is sent in a header`;
}

/**
 * A generated key is in order before it exists: it only cannot be used yet. In a cluster its Secret counts only if it
 * was made for this very object: by a name that is free to choose, a key could have the content of any credential.
 */
function resolveGenerated({ metadata }: LLMKey, name: string, facts: Facts, report: Report): string | undefined {
  const pending = (message: string): void =>
    report({ condition: 'Usable', reason: 'Pending', field: 'spec.client.generate.secretName', message });
  const secret = facts.secrets.get(`${metadata.namespace}/${name}`);
  const isForeign = facts.world.source === 'cluster' && secret !== undefined && !isMadeFor(secret, metadata.uid);
  if (isForeign && isCredential(secret)) {
    pending(`a Secret "${name}" exists in the namespace and was not made for this object`);
    return undefined;
  }
  const problems: Finding[] = [];
  const ref = { name, key: generatedEntries.current };
  const value = resolveSecretEntry(facts, metadata.namespace, ref, '', (finding) => void problems.push(finding));
  for (const { message } of problems) pending(message);
  return value;
}

/** The key before the current one, while it works: generated keys overlap. Only for a key that has a current one. */
export function resolvePrevious({ metadata, spec }: LLMKey, facts: Facts): PreviousKey | undefined {
  const name = spec.client?.generate?.secretName;
  const secret = name === undefined ? undefined : facts.secrets.get(`${metadata.namespace}/${name}`);
  const previous = secret && findPrevious(secret, facts.world.now);
  return previous !== undefined && isSendable(previous.value, lengthMax.Client) ? previous : undefined;
}

function isSendable(value: string, max: number): boolean {
  return value.length <= max && /^[\t\x20-\x7e]+$/.test(value);
}

function materialField({ spec }: LLMKey): string {
  return spec.secretRef === undefined ? 'spec.client.generate.secretName' : 'spec.secretRef';
}

/** Whether a secret, by its digest, is free. `scope`: where the same secret must not stand twice. */
export type MaterialClaims = (scope: string, digest: string) => boolean;

/** Gives every secret to the first who asks for it. */
export function createMaterialClaims(): MaterialClaims {
  const owners = new Set<string>();
  return (scope, digest) => owners.size < owners.add(`${scope} ${digest}`).size;
}

/** Says that a key's secret belongs to another. Whose it is stays unsaid: that may be a fact of another namespace. */
export function reportTwin(key: LLMKey, report: Report): void {
  report(notAccepted('Conflicted', materialField(key), 'an older LLMKey already holds the same secret'));
}

/** Unix milliseconds of the end of a key; undefined = never. */
export function expiryOf({ spec }: LLMKey): number | undefined {
  return spec.expirationTime === undefined ? undefined : Date.parse(spec.expirationTime);
}

/** Says that a key is switched off or has ended. */
export function reportState(key: LLMKey, now: number, report: Report): void {
  const expiresAt = expiryOf(key);
  if (key.spec.state === 'Disabled') {
    report({ condition: 'Usable', reason: 'Disabled', field: 'spec.state', message: 'the key is switched off' });
  }
  if (expiresAt !== undefined && expiresAt <= now) {
    const message = `the key expired at ${key.spec.expirationTime}`;
    report({ condition: 'Usable', reason: 'Expired', field: 'spec.expirationTime', message });
  }
}
