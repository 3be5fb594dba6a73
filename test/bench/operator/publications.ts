// The revisions that the operator publishes, as they appear in the ConfigMap of the index.

import type { ControlPlaneClient } from '../../cluster/client.ts';
import { within } from './deadline.ts';
import { watchCollection } from './collection-watch.ts';

/** One revision. */
export interface Publication {
  readonly revision: number;
  readonly digest: string;
  readonly atMs: number;
}

/** Follows one index. */
export class Publications {
  readonly #all: Publication[] = [];
  readonly #waiting = new Set<() => void>();

  /** Begins to follow. */
  static async follow(
    plane: ControlPlaneClient,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<Publications> {
    const publications = new Publications();
    const path = `/api/v1/namespaces/${namespace}/configmaps?fieldSelector=metadata.name%3D${name}`;
    await watchCollection(plane, path, {
      signal,
      onObject(object, atMs) {
        const { data } = object as { readonly data?: Readonly<Record<string, string>> };
        const index = JSON.parse(data?.['index.json'] ?? '{}') as Partial<Publication>;
        publications.#take(index, atMs);
      },
    });
    return publications;
  }

  get count(): number {
    return this.#all.length;
  }

  /** The revision that is published; 0 if there is none. */
  get revision(): number {
    return this.#all.at(-1)?.revision ?? 0;
  }

  /** The digest of what is published; undefined if nothing is. */
  get digest(): string | undefined {
    return this.#all.at(-1)?.digest;
  }

  /** The first revision after the first `count` ones that holds something else than `digest`. Rejects if there is none in time. */
  async next(count: number, digest: string | undefined, withinMs: number): Promise<Publication> {
    const find = (): Publication | undefined => this.#all.slice(count).find((one) => one.digest !== digest);
    const found = find();
    if (found !== undefined) return found;
    const { promise, resolve } = Promise.withResolvers<Publication>();
    const look = (): void => {
      const later = find();
      if (later !== undefined) resolve(later);
    };
    this.#waiting.add(look);
    try {
      return await within(promise, withinMs, 'nothing was published');
    } finally {
      this.#waiting.delete(look);
    }
  }

  #take({ revision = 0, digest = '' }: Partial<Publication>, atMs: number): void {
    if (revision === this.#all.at(-1)?.revision) return;
    this.#all.push({ revision, digest, atMs });
    for (const look of this.#waiting) look();
  }
}
