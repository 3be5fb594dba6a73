// The world in the order and the indexes that every step of the compiler needs.

import type { Kind } from '../../crds/group.ts';
import type { LLMKey } from '../../crds/llm-key.ts';
import type { LLMProvider } from '../../crds/llm-provider.ts';
import type { LLMRoute } from '../../crds/llm-route.ts';
import type { Named } from './diagnostic.ts';
import type {
  ConfigMapObject,
  InvalidObject,
  NamespaceObject,
  ReferenceGrantObject,
  SecretObject,
  ServiceObject,
  World,
} from './world.ts';

/** Everything that is known, found by id (`namespace/name`) or in order of age, oldest first. */
export interface Facts {
  readonly world: World;
  readonly providers: readonly LLMProvider[];
  readonly routes: readonly LLMRoute[];
  readonly keys: readonly LLMKey[];
  readonly invalid: readonly InvalidObject[];
  readonly secrets: ReadonlyMap<string, SecretObject>;
  readonly configMaps: ReadonlyMap<string, ConfigMapObject>;
  readonly services: ReadonlyMap<string, ServiceObject>;
  /** By the namespace that grants. */
  readonly grants: ReadonlyMap<string, readonly ReferenceGrantObject[]>;
  /** Labels by name of the namespace. */
  readonly namespaces: ReadonlyMap<string, NamespaceObject['labels']>;
}

/** `namespace/name`: the identity of an object in the configuration, in state and in logs. */
export function idOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}

/** Orders texts by code unit: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Sorts and indexes the world. Objects of another class are none of this installation's business. */
export function gatherFacts(world: World): Facts {
  const ours = <R extends LLMProvider | LLMRoute | LLMKey>(resources: readonly R[]): R[] =>
    oldestFirst(resources.filter(({ spec }) => spec.className === world.className));
  return {
    world,
    providers: ours(world.providers),
    routes: ours(world.routes),
    keys: ours(world.keys),
    invalid: [...world.invalid].sort(byKindAndName),
    secrets: byId(world.secrets),
    configMaps: byId(world.configMaps),
    services: byId(world.services),
    grants: Map.groupBy(world.grants ?? [], ({ namespace }) => namespace),
    namespaces: knownNamespaces(world),
  };
}

/** Something that stands for an object of some age. */
interface Dated {
  readonly metadata: Named & { readonly creationTimestamp?: string | undefined };
}

/** Sorts by age, then by id. Objects from files have no age; they count as the oldest, so that their names decide. */
export function oldestFirst<T extends Dated>(objects: readonly T[]): T[] {
  return objects
    .map((object) => ({ object, createdAt: createdAt(object), id: idOf(object.metadata) }))
    .sort((a, b) => a.createdAt - b.createdAt || compareText(a.id, b.id))
    .map(({ object }) => object);
}

function createdAt({ metadata }: Dated): number {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(created) ? 0 : created;
}

const kindOrder: Readonly<Record<Kind, number>> = { LLMProvider: 0, LLMRoute: 1, LLMKey: 2 };

function byKindAndName(a: InvalidObject, b: InvalidObject): number {
  return kindOrder[a.kind] - kindOrder[b.kind] || compareText(idOf(a), idOf(b));
}

function byId<T extends Named>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [idOf(object), object]));
}

/** The label that Kubernetes puts on every namespace. */
const nameLabel = 'kubernetes.io/metadata.name';

/** In files, namespaces of keys exist without being written down. */
function knownNamespaces(world: World): Map<string, NamespaceObject['labels']> {
  const implied = world.source === 'files' ? world.keys.map(({ metadata }) => metadata.namespace) : [];
  const known = new Map<string, NamespaceObject['labels']>(implied.map((name) => [name, { [nameLabel]: name }]));
  for (const { name, labels } of world.namespaces) known.set(name, { ...labels, [nameLabel]: name });
  return known;
}
