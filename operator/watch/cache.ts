// Local copies of objects of the API server, of one kind, each reduced to what is needed of it. Filled by reflectors and
// by answers to own writes, whichever is newer.

import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import { isOlder } from './resource-version.ts';

/** What is kept of an object; `undefined`: nothing, as if it were not there (objects of another class). */
export type Projection<T> = (object: KubeObject) => T | undefined;

/**
 * Is told of what has changed: one of both is undefined for what is new, or gone. Both are, and `id` is '', where the
 * whole kind has come or gone.
 */
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
  /** Begins to take everything that there is. */
  startList(): Listing;
  /** Takes all of it at once. */
  replace(objects: readonly KubeObject[], resourceVersion: string | undefined): void;
  /** The kind is not installed, or may not be read: there is nothing. */
  markAbsent(): void;
  state(): SinkState;
}

/** Everything that there is as of one version, page by page. Of each page only what is needed stays in memory. */
export interface Listing {
  add(objects: readonly KubeObject[]): void;
  /** That was all: what is missing is gone, unless it was written since. */
  end(resourceVersion: string | undefined): void;
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

/** What one reflector is responsible for. */
interface Scope {
  /** Undefined: everything. */
  readonly namespace: string | undefined;
  state: SinkState;
  /** Version up to which the reflector has told everything. */
  seen: string | undefined;
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
  readonly #scopes: Scope[] = [];

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
    return this.#scopes.every(({ state }) => state !== 'starting');
  }

  absent(): boolean {
    return this.#scopes.every(({ state }) => state === 'absent');
  }

  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
  }

  learn(object: KubeObject): void {
    const id = idOf(object.metadata);
    const entry = this.#reduce(object);
    const scope = this.#scopes.find(({ namespace }) => namespace === undefined || namespace === entry.namespace);
    // The answer may come after the news that the object was deleted: nobody would take it out again.
    const isGone = !this.#entries.has(id) && !isNewer(entry.resourceVersion, scope?.seen);
    if (!isGone) this.#put(id, entry);
  }

  /** Adds a part for a reflector to fill: one namespace, or everything. */
  scope(namespace: string | undefined): ObjectSink {
    const scope: Scope = { namespace, state: 'starting', seen: undefined };
    this.#scopes.push(scope);
    return {
      put: (object) => {
        this.#put(idOf(object.metadata), this.#reduce(object));
        scope.seen = object.metadata.resourceVersion;
      },
      remove: ({ metadata }) => {
        this.#remove(metadata);
        scope.seen = metadata.resourceVersion;
      },
      startList: () => this.#startList(scope),
      replace: (objects, resourceVersion) => {
        const listing = this.#startList(scope);
        listing.add(objects);
        listing.end(resourceVersion);
      },
      markAbsent: () => this.#replace(scope, 'absent', new Map(), undefined),
      state: () => scope.state,
    };
  }

  #reduce(object: KubeObject): Entry<T> {
    const { namespace, resourceVersion } = object.metadata;
    return { namespace, resourceVersion, projected: this.#options.project(object) };
  }

  #startList(scope: Scope): Listing {
    const listed = new Map<string, Entry<T>>();
    return {
      add: (objects) => {
        for (const object of objects) listed.set(idOf(object.metadata), this.#reduce(object));
      },
      end: (resourceVersion) => this.#replace(scope, 'synced', listed, resourceVersion),
    };
  }

  #put(id: string, entry: Entry<T>, isRewritten = false): void {
    const before = this.#entries.get(id);
    if (!isRewritten && isOlder(entry.resourceVersion, before?.resourceVersion)) return;
    this.#entries.set(id, entry);
    this.#tell(id, entry.projected, before?.projected);
  }

  #remove(metadata: ObjectMeta): void {
    const id = idOf(metadata);
    const before = this.#entries.get(id);
    if (before === undefined || isOlder(metadata.resourceVersion, before.resourceVersion)) return;
    this.#entries.delete(id);
    this.#tell(id, undefined, before.projected);
  }

  #replace(scope: Scope, state: SinkState, listed: ReadonlyMap<string, Entry<T>>, version: string | undefined): void {
    const wasAbsent = this.absent();
    // No list is older than what has been seen before, unless the cluster was restored from a backup: then versions have
    // begun anew, and those that are known mean nothing any more.
    const isRewritten = isOlder(version, scope.seen);
    scope.state = state;
    scope.seen = version;
    for (const [id, entry] of listed) this.#put(id, entry, isRewritten);
    for (const [id, { namespace, resourceVersion: known, projected }] of this.#entries) {
      const isElsewhere = scope.namespace !== undefined && namespace !== scope.namespace;
      if (isElsewhere || listed.has(id) || (!isRewritten && isOlder(version, known))) continue;
      this.#entries.delete(id);
      this.#tell(id, undefined, projected);
    }
    if (wasAbsent !== this.absent()) for (const listener of this.#listeners) listener('', undefined, undefined);
  }

  #tell(id: string, after: T | undefined, before: T | undefined): void {
    if (after === before) return;
    if (after !== undefined && before !== undefined && this.#options.same(after, before)) return;
    for (const listener of this.#listeners) listener(id, after, before);
  }
}

/** Whether something comes after what has been seen, as far as that can be said. */
function isNewer(version: string | undefined, seen: string | undefined): boolean {
  return version !== seen && !isOlder(version, seen);
}
