// From the texts of files to resources: every object in its list, every problem beside the file and object it is about.

import { group, type Kind, kinds } from '../../../crds/group.ts';
import type { LLMKey } from '../../../crds/llm-key.ts';
import type { LLMProvider } from '../../../crds/llm-provider.ts';
import type { LLMRoute } from '../../../crds/llm-route.ts';
import { parseResource } from '../../../crds/parse-resource.ts';
import type {
  ConfigMapObject,
  InvalidObject,
  NamespaceObject,
  ReferenceGrantObject,
  SecretObject,
  ServiceObject,
} from '../../../operator/compile/world.ts';
import {
  readConfigMap,
  type Reading,
  readNamespace,
  readReferenceGrant,
  readSecret,
  readService,
} from './cluster-objects.ts';
import { parseDocuments } from './documents.ts';
import { type FileProblem, formatName, type ObjectName } from './problem.ts';
import type { SourceText } from './read-files.ts';
import type { Environment } from './variables.ts';

/** An object that does not parse, with the class it asks for as far as that can be read. */
export interface InvalidResource extends InvalidObject {
  readonly className: string;
}

/** Everything that files say. */
export interface Resources {
  readonly providers: readonly LLMProvider[];
  readonly routes: readonly LLMRoute[];
  readonly keys: readonly LLMKey[];
  readonly invalid: readonly InvalidResource[];
  readonly secrets: readonly SecretObject[];
  readonly configMaps: readonly ConfigMapObject[];
  readonly services: readonly ServiceObject[];
  readonly grants: readonly ReferenceGrantObject[];
  readonly namespaces: readonly NamespaceObject[];
  /** The file of each object, in the order in which they were read; by `Kind namespace/name`. */
  readonly origins: ReadonlyMap<string, string>;
  /** What is wrong with texts, with objects of Kubernetes, and with objects that have no name to be known by. */
  readonly problems: readonly FileProblem[];
}

/** Reads the objects of all files. */
export function readResources(texts: readonly SourceText[], environment: Environment): Resources {
  const reader = new ResourceReader(environment);
  for (const text of texts) {
    const { values, problems } = parseDocuments(text);
    reader.problems.push(...problems);
    for (const value of values) reader.add(text.path, value);
  }
  return reader;
}

class ResourceReader implements Resources {
  readonly providers: LLMProvider[] = [];
  readonly routes: LLMRoute[] = [];
  readonly keys: LLMKey[] = [];
  readonly invalid: InvalidResource[] = [];
  readonly secrets: SecretObject[] = [];
  readonly configMaps: ConfigMapObject[] = [];
  readonly services: ServiceObject[] = [];
  readonly grants: ReferenceGrantObject[] = [];
  readonly namespaces: NamespaceObject[] = [];
  readonly origins = new Map<string, string>();
  readonly problems: FileProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  add(file: string, value: unknown): void {
    const { apiVersion, kind } = record(value);
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
      this.#report(file, undefined, '', 'must be an object with apiVersion and kind');
      return;
    }
    if (!isKnown(apiVersion, kind)) return this.#addUnknown(file, value, apiVersion, kind);
    const object = nameOf(value, kind);
    if (object !== undefined && !this.#claim(file, object)) return;
    if (isResourceKind(kind)) this.#addResource(file, value, kind, object);
    else this.#addClusterObject(file, value, kind, object ?? { kind, namespace: undefined, name: '?' });
  }

  /** Two objects of one name: the first stands, the second is named together with it. */
  #claim(file: string, object: ObjectName): boolean {
    const name = formatName(object);
    const first = this.origins.get(name);
    if (first === undefined) {
      this.origins.set(name, file);
      return true;
    }
    const where = first === file ? 'earlier in this file' : `in ${first}`;
    this.#report(file, object, 'metadata.name', `is already used by the ${object.kind} ${where}`);
    return false;
  }

  #addResource(file: string, value: unknown, kind: Kind, object: ObjectName | undefined): void {
    const parsed = parseResource(kind, value);
    if (parsed.ok) {
      const { resource } = parsed;
      if (resource.kind === 'LLMProvider') this.providers.push(resource);
      else if (resource.kind === 'LLMRoute') this.routes.push(resource);
      else this.keys.push(resource);
      return;
    }
    const { problems } = parsed;
    if (object?.namespace === undefined) {
      for (const { field, message } of problems) {
        this.#report(file, { kind, namespace: undefined, name: '?' }, field, message);
      }
      return;
    }
    const { className } = record(record(value)['spec']);
    this.invalid.push({
      kind,
      namespace: object.namespace,
      name: object.name,
      creationTimestamp: '',
      problems,
      className: typeof className === 'string' ? className : 'default',
    });
  }

  #addClusterObject(file: string, value: unknown, kind: ClusterKind, name: ObjectName): void {
    const keep = <T>({ object, problems }: Reading<T>, list: T[]): void => {
      for (const { field, message } of problems) this.#report(file, name, field, message);
      if (object !== undefined) list.push(object);
    };
    switch (kind) {
      case 'Secret':
        return keep(readSecret(value, this.#environment), this.secrets);
      case 'ConfigMap':
        return keep(readConfigMap(value), this.configMaps);
      case 'Namespace':
        return keep(readNamespace(value), this.namespaces);
      case 'Service':
        return keep(readService(value), this.services);
      case 'ReferenceGrant':
        return keep(readReferenceGrant(value), this.grants);
    }
  }

  /** Folders of manifests hold more than ours; a misspelt kind of ours is a mistake. */
  #addUnknown(file: string, value: unknown, apiVersion: string, kind: string): void {
    const object = nameOf(value, kind) ?? { kind, namespace: undefined, name: '?' };
    if (apiVersion.startsWith(`${group}/`)) {
      this.#report(file, object, 'kind', `must be one of ${kinds.join(', ')}`);
      return;
    }
    const message = `is ignored: Sluice has no use for ${kind} of ${apiVersion}`;
    this.problems.push({ severity: 'warning', file, object, field: '', message });
  }

  #report(file: string, object: ObjectName | undefined, field: string, message: string): void {
    this.problems.push({ severity: 'error', file, ...(object === undefined ? {} : { object }), field, message });
  }
}

const clusterKinds = {
  Secret: /^v1$/,
  ConfigMap: /^v1$/,
  Namespace: /^v1$/,
  Service: /^v1$/,
  ReferenceGrant: /^gateway\.networking\.k8s\.io\//,
} as const;

type ClusterKind = keyof typeof clusterKinds;

function isResourceKind(kind: string): kind is Kind {
  return (kinds as readonly string[]).includes(kind);
}

function isKnown(apiVersion: string, kind: string): kind is Kind | ClusterKind {
  if (isResourceKind(kind)) return true;
  return Object.hasOwn(clusterKinds, kind) && clusterKinds[kind as ClusterKind].test(apiVersion);
}

/** The name under which an object would be stored; undefined if it has none. */
function nameOf(value: unknown, kind: string): ObjectName | undefined {
  const { name, namespace } = record(record(value)['metadata']);
  if (typeof name !== 'string' || name === '') return undefined;
  if (kind === 'Namespace') return { kind, namespace: undefined, name };
  return { kind, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default', name };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
