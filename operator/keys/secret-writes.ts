// The Secret of a generated client key as it is written: whole when it is made, as a merge patch ever after.

import { apiVersion, credentialLabel } from '../../crds/group.ts';
import type { LLMKey } from '../../crds/llm-key.ts';
import { generatedAnnotations, generatedEntries, type PreviousKey } from '../compile/generated-key.ts';
import type { KubeObject, OwnerReference } from '../kube/object.ts';

/** A new Secret, of which there must be none yet. */
export function newSecret(key: LLMKey, secretName: string, value: string, nowMs: number): KubeObject {
  const { namespace } = key.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: secretName,
      labels: { [credentialLabel]: 'true', 'app.kubernetes.io/managed-by': 'sluice' },
      annotations: { [generatedAnnotations.madeAt]: toTime(nowMs), ...handled(key) },
      ownerReferences: [ownerReference(key)],
    },
    type: 'Opaque',
    data: { [generatedEntries.current]: encode(value) },
  };
}

/**
 * The Secret goes with its key. Deleting the key need not wait for that: to block an owner's deletion, one must be allowed
 * to update its finalizers, and the operator has none.
 */
function ownerReference({ metadata: { name, uid = '' } }: LLMKey): OwnerReference {
  return { apiVersion, kind: 'LLMKey', name, uid, controller: true, blockOwnerDeletion: false };
}

/** A change of a Secret; it is refused if the Secret is no longer the one that was looked at. */
export interface SecretPatch {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string | null>>;
  };
  readonly data?: Readonly<Record<string, string | null>>;
}

const labels = { [credentialLabel]: 'true' };

/** Puts a new key into the place of the current one. */
export function rotationPatch(
  key: LLMKey,
  value: string,
  keep: PreviousKey | undefined,
  { resourceVersion, nowMs }: { readonly resourceVersion: string; readonly nowMs: number },
): SecretPatch {
  const { madeAt, previousUntil } = generatedAnnotations;
  const until = keep === undefined ? null : toTime(keep.until);
  return {
    metadata: {
      resourceVersion,
      labels,
      annotations: { [madeAt]: toTime(nowMs), [previousUntil]: until, ...handled(key) },
    },
    data: {
      [generatedEntries.current]: encode(value),
      [generatedEntries.previous]: keep === undefined ? null : encode(keep.value),
    },
  };
}

/** Takes the previous key away. */
export function dropPatch(resourceVersion: string): SecretPatch {
  return {
    metadata: { resourceVersion, annotations: { [generatedAnnotations.previousUntil]: null } },
    data: { [generatedEntries.previous]: null },
  };
}

/** Puts the label and the time of making back. */
export function mendPatch(resourceVersion: string, madeAtMs: number): SecretPatch {
  return { metadata: { resourceVersion, labels, annotations: { [generatedAnnotations.madeAt]: toTime(madeAtMs) } } };
}

/** A key that is made now is what was asked for. */
function handled({ metadata }: LLMKey): Readonly<Record<string, string>> {
  const asked = metadata.annotations?.[generatedAnnotations.rotate];
  return asked === undefined ? {} : { [generatedAnnotations.rotate]: asked };
}

function encode(value: string): string {
  return Buffer.from(value).toString('base64');
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
