// The objects that the operator publishes: what they are called, and how they are read back.

import { credentialsHolder, indexHolder, partHolder, partsMax } from '../../proxy/config/schema.ts';
import { group } from '../../crds/group.ts';
import type { KubeObject } from '../kube/object.ts';

/** Names of the objects of one class. */
export interface OutputNames {
  /** ConfigMap of the index. */
  readonly index: string;
  /** ConfigMaps that hold parts of a configuration which does not fit beside its index. */
  readonly shards: readonly string[];
  readonly secret: string;
  /** Labels that all of them carry. */
  readonly labels: Readonly<Record<string, string>>;
  /** Finds the ConfigMaps by their labels. */
  readonly selector: string;
}

/** The names for a class. */
export function outputNamesOf(className: string): OutputNames {
  const index = indexHolder(className);
  const classLabel = `${group}/class`;
  return {
    index,
    shards: Array.from({ length: partsMax - 1 }, (_, number) => partHolder(index, number + 1)),
    secret: credentialsHolder(index),
    labels: { 'app.kubernetes.io/managed-by': 'sluice', [classLabel]: className },
    selector: `app.kubernetes.io/managed-by=sluice,${classLabel}=${className}`,
  };
}

/** A published object. Values of a Secret, and binary ones of a ConfigMap, are base64. */
export interface Output {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, string>>;
}

/** Reads a ConfigMap or Secret of ours. */
export function projectOutput(object: KubeObject): Output {
  const { metadata, data = {}, binaryData = {} } = object as KubeObject & Partial<Pick<Output, 'data' | 'binaryData'>>;
  const { name, uid = '', resourceVersion = '', labels = {} } = metadata;
  return { name, uid, resourceVersion, labels, data, binaryData };
}

/** Whether two forms hold the same. */
export function sameOutput(one: Output, other: Output): boolean {
  return (
    one.uid === other.uid &&
    sameEntries(one.data, other.data) &&
    sameEntries(one.binaryData, other.binaryData) &&
    sameEntries(one.labels, other.labels)
  );
}

function sameEntries(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
