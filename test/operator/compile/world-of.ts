// From YAML documents to a World, as gatherers of facts do it: a test says in YAML what exists.

import { parseAllDocuments } from 'yaml';
import { type Kind, kinds } from '../../../crds/group.ts';
import { parseResource } from '../../../crds/parse-resource.ts';
import { compile } from '../../../operator/compile/compile.ts';
import type {
  ConfigMapObject,
  InvalidObject,
  NamespaceObject,
  ReferenceGrantObject,
  SecretObject,
  ServiceObject,
  World,
} from '../../../operator/compile/world.ts';

type Settings = Pick<World, 'className' | 'now' | 'lastRevision' | 'disableSecondsDefault' | 'source'> & {
  readonly grantsReadable: boolean;
  /** Objects as they were when they were published last. */
  readonly published: readonly Manifest[] | undefined;
};

/** What a first document with a member `world` may say otherwise. */
const defaults: Settings = {
  className: 'default',
  now: Date.parse('2026-06-01T00:00:00Z'),
  lastRevision: 0,
  disableSecondsDefault: 600,
  source: 'cluster',
  grantsReadable: true,
  published: undefined,
};

/** A document of YAML, as far as its reader looks into it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [member: string]: unknown;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly { readonly uid: string }[] | undefined;
}

/** The world that a text of several YAML documents describes. */
export function readWorld(text: string): World {
  const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
  const [first] = documents;
  const hasSettings = typeof first === 'object' && first !== null && 'world' in first;
  const settings = hasSettings ? Object(first.world) : {};
  const manifests = hasSettings ? documents.slice(1) : documents;
  return toWorld(manifests as Manifest[], settings);
}

/** The world that consists of the given objects. */
export function toWorld(manifests: readonly Manifest[], settings: Partial<Settings> = {}): World {
  const { grantsReadable, published, ...rest } = { ...defaults, ...settings };
  const of = <T>(kind: string, read: (manifest: Manifest) => T): T[] =>
    manifests.filter((manifest) => manifest.kind === kind).map(read);
  const grants = of('ReferenceGrant', toGrant);
  return {
    ...rest,
    ...toResources(manifests),
    published: published && compile(toWorld(published, { ...settings, published: undefined })).config,
    secrets: of('Secret', toSecret),
    configMaps: of('ConfigMap', toConfigMap),
    services: of('Service', toService),
    grants: grantsReadable ? grants : undefined,
    namespaces: of('Namespace', ({ metadata }): NamespaceObject => ({
      name: metadata.name,
      labels: { ...metadata.labels },
    })),
  };
}

type Resources = Pick<World, 'providers' | 'routes' | 'keys' | 'invalid'>;

function toResources(manifests: readonly Manifest[]): Resources {
  const invalid: InvalidObject[] = [];
  const read = <K extends Kind>(kind: K) =>
    manifests.flatMap((manifest) => {
      if (manifest.kind !== kind) return [];
      const parsed = parseResource(kind, { apiVersion: 'sluice.dev/v1alpha1', ...manifest });
      if (parsed.ok) return [parsed.resource];
      const { creationTimestamp = '' } = manifest.metadata;
      invalid.push({ kind, ...named(manifest.metadata), creationTimestamp, problems: parsed.problems });
      return [];
    });
  return { providers: read(kinds[0]), routes: read(kinds[1]), keys: read(kinds[2]), invalid };
}

function named({ name, namespace = 'default' }: Metadata): { readonly name: string; readonly namespace: string } {
  return { name, namespace };
}

function toSecret({ metadata, stringData }: Manifest): SecretObject {
  const { labels, annotations, ownerReferences = [] } = metadata;
  return {
    ...named(metadata),
    labels: { ...labels },
    annotations: { ...annotations },
    ownerUIDs: ownerReferences.map(({ uid }) => uid),
    data: { ...Object(stringData) },
  };
}

function toConfigMap({ metadata, data }: Manifest): ConfigMapObject {
  return { ...named(metadata), data: { ...Object(data) } };
}

function toService({ metadata, spec }: Manifest): ServiceObject {
  const { type = 'ClusterIP', ports = [] } = Object(spec);
  return { ...named(metadata), type, ports: ports.map(({ port }: { port: number }) => port) };
}

function toGrant({ metadata, spec }: Manifest): ReferenceGrantObject {
  const { from, to } = Object(spec);
  return { ...named(metadata), from, to };
}
