// Objects of Kubernetes itself, reduced to what the compiler wants to know. They come from the API server, which has
// checked them: what is missing here is missing there.

import type {
  ConfigMapObject,
  NamespaceObject,
  ReferenceGrantObject,
  SecretObject,
  ServiceObject,
} from '../compile/world.ts';
import type { KubeObject } from '../kube/object.ts';

/** A Secret that may be referenced, and what a write to it needs. */
export interface CredentialSecret extends SecretObject {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Reads a Secret with the credential label. */
export function projectSecret(object: KubeObject): CredentialSecret {
  const { metadata, data } = object as KubeObject & { readonly data?: Readonly<Record<string, string>> };
  const { name, namespace = '', labels = {}, annotations = {}, uid = '', resourceVersion = '' } = metadata;
  const decoded = Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  const ownerUIDs = (metadata.ownerReferences ?? []).map((owner) => owner.uid);
  return {
    namespace,
    name,
    labels,
    annotations: withoutLastApplied(annotations),
    ownerUIDs,
    data: Object.fromEntries(decoded) as Record<string, string>,
    uid,
    resourceVersion,
  };
}

/** Without the whole object that `kubectl apply` leaves there. */
export function withoutLastApplied(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations;
  return rest;
}

/** Reads a ConfigMap. Only certificates are ever asked for; the rest may be large, and is nobody's business here. */
export function projectConfigMap(object: KubeObject): ConfigMapObject {
  const { metadata, data } = object as KubeObject & { readonly data?: Readonly<Record<string, string>> };
  const certificates = Object.entries(data ?? {}).filter(([, text]) => text.includes('-----BEGIN CERTIFICATE-----'));
  return { namespace: metadata.namespace ?? '', name: metadata.name, data: Object.fromEntries(certificates) };
}

/** Reads a Service. */
export function projectService(object: KubeObject): ServiceObject {
  const { metadata, spec } = object as KubeObject & {
    readonly spec?: { readonly type?: string; readonly ports?: readonly { readonly port: number }[] };
  };
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    type: spec?.type ?? 'ClusterIP',
    ports: (spec?.ports ?? []).map(({ port }) => port),
  };
}

/** Reads a Namespace. */
export function projectNamespace({ metadata: { name, labels = {} } }: KubeObject): NamespaceObject {
  return { name, labels };
}

/** Reads a ReferenceGrant. */
export function projectGrant(object: KubeObject): ReferenceGrantObject {
  const { metadata, spec } = object as KubeObject & {
    readonly spec?: Partial<Pick<ReferenceGrantObject, 'from' | 'to'>>;
  };
  return { namespace: metadata.namespace ?? '', name: metadata.name, from: spec?.from ?? [], to: spec?.to ?? [] };
}

/** Whether two projections say the same. Both were made by the same function, so their members are in the same order. */
export function sameFacts<T extends object>(one: T, other: T): boolean {
  return factsOf(one) === factsOf(other);
}

function factsOf(projection: object): string {
  return JSON.stringify(projection, (name, value: unknown) => (name === 'resourceVersion' ? undefined : value));
}
