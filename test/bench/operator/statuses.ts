// What the statuses of all resources say, and when they began to say it.

import { type Kind, plurals } from '../../../crds/group.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import { within } from './deadline.ts';
import { type SeenObject, watchCollection } from './collection-watch.ts';

/** One status, as far as the benchmark looks at it. */
export interface SeenStatus {
  /** Of the object. */
  readonly generation: number;
  /** Of the condition Ready: the generation that it was decided for, and `True`, `False` or `Unknown`. */
  readonly observed: number;
  readonly ready: string;
  readonly atMs: number;
}

/** `Kind namespace/name`. */
export type ObjectName = `${Kind} ${string}`;

/** Follows the statuses of all resources of the control plane. */
export class Statuses {
  readonly #last = new Map<string, SeenStatus>();
  /** Since the last `forget`. */
  #recent: (readonly [string, SeenStatus])[] = [];
  readonly #waiting = new Set<() => void>();
  /** Objects by what they say. Kept up to date, because thousands come in a second. */
  readonly #counts = new Map<string, number>();
  #lastChangeMs = 0;

  /** Begins to follow. */
  static async follow(plane: ControlPlaneClient, signal: AbortSignal): Promise<Statuses> {
    const statuses = new Statuses();
    for (const kind of Object.keys(plurals) as Kind[]) {
      const onObject = (object: SeenObject, atMs: number): void => statuses.#take(kind, object, atMs);
      await watchCollection(plane, `/apis/sluice.dev/v1alpha1/${plurals[kind]}`, { onObject, signal });
    }
    return statuses;
  }

  /** How many objects say this of themselves, in their present form. */
  count(ready: string): number {
    return this.#counts.get(ready) ?? 0;
  }

  /** When any of them last changed, Unix milliseconds. */
  get lastChangeMs(): number {
    return this.#lastChangeMs;
  }

  /** Forgets what has been seen so far, so that only what follows counts for `first`. */
  forget(): void {
    this.#recent = [];
  }

  /**
   * When an object first said, since the last `forget`, that it is so. `changed` is the answer to the change: the object in
   * its new generation, or a Secret, which leaves the generation of its key as it is.
   */
  async first(
    { name, ready }: { readonly name: ObjectName; readonly ready: string },
    { kind, metadata }: SeenObject,
    withinMs: number,
  ): Promise<number> {
    const generation = kind === 'Secret' ? this.#last.get(name)?.generation : metadata.generation;
    const find = (): number | undefined =>
      this.#recent.find(([of, it]) => of === name && it.ready === ready && it.observed === generation)?.[1].atMs;
    return this.until(find, withinMs, `${name} did not say Ready=${ready} of generation ${generation}`);
  }

  /** Waits until a look at the statuses finds something. */
  async until<T>(find: () => T | undefined, withinMs: number, otherwise: string): Promise<T> {
    const found = find();
    if (found !== undefined) return found;
    const { promise, resolve } = Promise.withResolvers<T>();
    const look = (): void => {
      const later = find();
      if (later !== undefined) resolve(later);
    };
    this.#waiting.add(look);
    try {
      return await within(promise, withinMs, otherwise);
    } finally {
      this.#waiting.delete(look);
    }
  }

  #take(kind: Kind, { metadata, status }: SeenObject, atMs: number): void {
    const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Condition[] };
    const ready = conditions.find(({ type }) => type === 'Ready');
    const name = `${kind} ${metadata.namespace}/${metadata.name}`;
    const seen: SeenStatus = {
      generation: metadata.generation ?? 0,
      observed: ready?.observedGeneration ?? 0,
      ready: ready?.status ?? '',
      atMs,
    };
    this.#recount(this.#last.get(name), -1);
    this.#recount(seen, 1);
    this.#last.set(name, seen);
    this.#recent.push([name, seen]);
    this.#lastChangeMs = atMs;
    for (const look of this.#waiting) look();
  }

  #recount(status: SeenStatus | undefined, by: number): void {
    if (status === undefined || status.observed !== status.generation) return;
    this.#counts.set(status.ready, (this.#counts.get(status.ready) ?? 0) + by);
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration: number;
}
