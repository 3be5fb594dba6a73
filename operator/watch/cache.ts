// Local copies of objects of the API server, of one kind, each reduced to what is needed of it. Filled by reflectors and
// by answers to own writes, whichever is newer.

import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import { isOlder } from './resource-version.ts';

/** What is kept of an object; `undefined`: nothing, as if it were not there (objects of another class). */
export type Projection<T> = (object: KubeObject) => T | undefined;

/** Is told of what has changed: one of both is undefined for what is new, or gone. */
export type ChangeListener<T> = (id: string, after: T | undefined, before: T | undefined) => void;

/** What readers see of a cache. */
export interface Cache<T> {
  list(): readonly T[];
  get(id: string): T | undefined;
  /** Whether everything that there is has been seen at least once; or, for a kind that may be missing, that it is. */
  synced(): boolean;
  /** Whether the kind is missing, or may not be read, everywhere. */
  absent(): boolean;
  onChange(listener: ChangeListener<T>): void;
  /** Takes the answer to an own write, which the watch will only bring later. */
  learn(object: KubeObject): void;
}

/** What one reflector fills: a whole store, or the part of it that is in one namespace. */
export interface ObjectSink {
  /** Takes an object as it is now, unless a newer form is known. */
  put(object: KubeObject): void;
  /** Forgets an object, unless it was made anew since. */
  remove(object: KubeObject): void;
  /** Takes everything that there is as of a version: what is missing is gone, unless it was written since. */
  replace(objects: readonly KubeObject[], resourceVersion: string | undefined): void;
  /** The kind is not installed, or may not be read: there is nothing. */
  markAbsent(): void;
  state(): SinkState;
}

/** `starting` until the first list is there. */
export type SinkState = 'starting' | 'synced' | 'absent';

/** `namespace/name`, or the name alone of what is in no namespace. */
export function idOf({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

interface Entry<T> {
  readonly namespace: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly projected: T | undefined;
}

/** How a store reduces objects. */
export interface StoreOptions<T> {
  readonly project: Projection<T>;
  /** Whether a change is none for those who listen: a status that was written, a version that went up. */
  readonly same: (one: T, other: T) => boolean;
}

/** A cache that can be written to, by one reflector for each scope. */
export class Store<T> implements Cache<T> {
  readonly #options: StoreOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #listeners: ChangeListener<T>[] = [];
  readonly #scopes: SinkState[] = [];

  constructor(options: StoreOptions<T>) {
    this.#options = options;
  }

  list(): readonly T[] {
    return [...this.#entries.values()].flatMap(({ projected }) => projected ?? []);
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.projected;
  }

  synced(): boolean {
    return this.#scopes.every((state) => state !== 'starting');
  }

  absent(): boolean {
    return this.#scopes.every((state) => state === 'absent');
  }

  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
  }

  learn(object: KubeObject): void {
    this.#put(object);
  }

  /** Adds a part for a reflector to fill: one namespace, or everything. */
  scope(namespace: string | undefined): ObjectSink {
    const index = this.#scopes.push('starting') - 1;
    const replace: ObjectSink['replace'] = (objects, resourceVersion) => {
      this.#replace(namespace, objects, resourceVersion);
      this.#scopes[index] = 'synced';
    };
    return {
      put: (object) => this.#put(object),
      remove: (object) => this.#remove(object),
      replace,
      markAbsent: () => {
        replace([], undefined);
        this.#scopes[index] = 'absent';
      },
      state: () => this.#scopes[index] ?? 'starting',
    };
  }

  #put(object: KubeObject): void {
    const id = idOf(object.metadata);
    const { resourceVersion, namespace } = object.metadata;
    const before = this.#entries.get(id);
    if (isOlder(resourceVersion, before?.resourceVersion)) return;
    const projected = this.#options.project(object);
    this.#entries.set(id, { namespace, resourceVersion, projected });
    this.#tell(id, projected, before?.projected);
  }

  #remove({ metadata }: KubeObject): void {
    const id = idOf(metadata);
    const before = this.#entries.get(id);
    if (before === undefined || isOlder(metadata.resourceVersion, before.resourceVersion)) return;
    this.#entries.delete(id);
    this.#tell(id, undefined, before.projected);
  }

  #replace(scope: string | undefined, objects: readonly KubeObject[], resourceVersion: string | undefined): void {
    const present = new Set(objects.map(({ metadata }) => idOf(metadata)));
    for (const object of objects) this.#put(object);
    for (const [id, { namespace, resourceVersion: known, projected }] of this.#entries) {
      const elsewhere = scope !== undefined && namespace !== scope;
      if (elsewhere || present.has(id) || isOlder(resourceVersion, known)) continue;
      this.#entries.delete(id);
      this.#tell(id, undefined, projected);
    }
  }

  #tell(id: string, after: T | undefined, before: T | undefined): void {
    if (after === before) return;
    if (after !== undefined && before !== undefined && this.#options.same(after, before)) return;
    for (const listener of this.#listeners) listener(id, after, before);
  }
}
