// From a reference to what it means: entries of Secrets and ConfigMaps, and providers. Who may see what is decided here.

import { credentialLabel, group } from '../../crds/group.ts';
import type { ProviderConfig } from '../../proxy/config/schema.ts';
import { notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import type { SecretObject } from './world.ts';

/** A reference to one entry of an object in the same namespace. */
export interface EntryRef {
  readonly name: string;
  readonly key: string;
}

/** Whether a Secret may be used by Sluice at all; without that, anyone could have any Secret sent anywhere. */
export function isCredential(secret: SecretObject): boolean {
  return secret.labels[credentialLabel] === 'true';
}

/** The entry of a Secret, without the white space around it that `echo` and editors leave. */
export function resolveSecretEntry(
  facts: Facts,
  namespace: string,
  ref: EntryRef,
  field: string,
  report: Report,
): string | undefined {
  const secret = facts.secrets.get(`${namespace}/${ref.name}`);
  if (secret === undefined || !isCredential(secret)) {
    const message = `there is no Secret "${ref.name}" in the namespace with the label ${credentialLabel}: "true"`;
    report(notResolved('SecretNotFound', `${field}.name`, message));
    return undefined;
  }
  return readEntry(secret.data, 'Secret', ref, field, report);
}

/** The entry of a ConfigMap. */
export function resolveConfigMapEntry(
  facts: Facts,
  namespace: string,
  ref: EntryRef,
  field: string,
  report: Report,
): string | undefined {
  const configMap = facts.configMaps.get(`${namespace}/${ref.name}`);
  if (configMap === undefined) {
    report(notResolved('SecretNotFound', `${field}.name`, `there is no ConfigMap "${ref.name}" in the namespace`));
    return undefined;
  }
  return readEntry(configMap.data, 'ConfigMap', ref, field, report);
}

function readEntry(
  data: Readonly<Record<string, string>>,
  kind: string,
  { name, key }: EntryRef,
  field: string,
  report: Report,
): string | undefined {
  const value = Object.hasOwn(data, key) ? data[key]?.trim() : undefined;
  if (value !== undefined && value !== '') return value;
  report(notResolved('SecretKeyMissing', `${field}.key`, `${kind} "${name}" has no entry "${key}", or an empty one`));
  return undefined;
}

/** A reference to a provider, from an object of some kind in some namespace. */
export interface ProviderReference {
  readonly fromKind: 'LLMRoute' | 'LLMKey';
  readonly fromNamespace: string;
  readonly ref: { readonly name: string; readonly namespace?: string | undefined };
}

/** The provider, if it may be referred to and is accepted. */
export function resolveProvider(
  facts: Facts,
  providers: ReadonlyMap<string, ProviderConfig>,
  reference: ProviderReference,
  field: string,
  report: Report,
): ProviderConfig | undefined {
  const { name, namespace = reference.fromNamespace } = reference.ref;
  if (!isPermitted(facts, reference)) {
    report(notResolved('RefNotPermitted', field, refusal(facts, reference, namespace)));
    return undefined;
  }
  const provider = providers.get(`${namespace}/${name}`);
  if (provider !== undefined) return provider;
  const place = namespace === reference.fromNamespace ? 'the namespace' : `namespace "${namespace}"`;
  report(notResolved('ProviderNotFound', field, `${place} has no LLMProvider "${name}" that is accepted`));
  return undefined;
}

/** https://gateway-api.sigs.k8s.io/api-types/referencegrant/ */
function isPermitted({ grants }: Facts, { fromKind, fromNamespace, ref }: ProviderReference): boolean {
  if (ref.namespace === undefined || ref.namespace === fromNamespace) return true;
  return (grants.get(ref.namespace) ?? []).some(
    (grant) =>
      grant.from.some((from) => from.group === group && from.kind === fromKind && from.namespace === fromNamespace) &&
      grant.to.some((to) => to.group === group && to.kind === 'LLMProvider' && allowsName(to.name, ref.name)),
  );
}

function allowsName(granted: string | undefined, name: string): boolean {
  return granted === undefined || granted === '' || granted === name;
}

/** Made of the reference alone: it must read the same whether or not there is such a provider. */
function refusal({ world }: Facts, { fromKind, fromNamespace, ref }: ProviderReference, namespace: string): string {
  const needed = `a ReferenceGrant in namespace "${namespace}" must allow ${fromKind} objects of namespace "${fromNamespace}" to refer to LLMProvider "${ref.name}"`;
  return world.grants === undefined ? `${needed}, but ReferenceGrants are not installed or may not be read` : needed;
}
