// Everything that ever stood in some collections of the API server, version by version, as its watches tell it.

import { systemClock } from '../../../operator/clock.ts';
import { createKubeClient } from '../../../operator/kube/client.ts';
import { loadCredentials } from '../../../operator/kube/credentials.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { readEvents } from '../../../operator/watch/watch-events.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';

/** One version of an object. */
export interface Version {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** Grows with every write to the cluster. */
  readonly at: number;
  /** When it was heard of; `performance.now()`. */
  readonly heardMs: number;
}

/** A history that is being written. */
export interface History extends AsyncDisposable {
  /** Versions of all objects of a kind, in their order. */
  of(kind: string): readonly Version[];
}

/** Follows collections, given by their paths, from now on. */
export async function recordHistory(plane: ControlPlaneClient, paths: readonly string[]): Promise<History> {
  const monotonic = (): number => systemClock.monotonic();
  const credentials = loadCredentials({ type: 'kubeconfig', path: plane.adminKubeconfig }, monotonic);
  const observer = { requestEnded: () => undefined };
  const client = createKubeClient({ credentials, userAgent: 'history', observer, monotonic });
  const versions: Version[] = [];
  const stop = new AbortController();
  const reading = paths.map(async (path) => {
    const { metadata } = await client.call<KubeObject>({ method: 'GET', path, query: { limit: 1 } });
    const query = { watch: true, resourceVersion: metadata.resourceVersion };
    const chunks = await client.stream({ method: 'GET', path, query, signal: stop.signal });
    const read = async (): Promise<void> => {
      for await (const event of readEvents(chunks)) {
        if (event.type === 'ERROR')
          throw new Error(`the history of ${path} broke off: ${JSON.stringify(event.object)}`);
        if (event.type === 'BOOKMARK') continue;
        const at = Number(event.object.metadata.resourceVersion);
        versions.push({ type: event.type, object: event.object, at, heardMs: monotonic() });
      }
    };
    return { ended: read().catch((error: unknown) => (stop.signal.aborted ? undefined : error)) };
  });
  const all = await Promise.all(reading);
  return {
    of: (kind) => versions.filter(({ object }) => object.kind === kind).toSorted((one, other) => one.at - other.at),
    async [Symbol.asyncDispose]() {
      stop.abort();
      const ends = await Promise.all(all.map(({ ended }) => ended));
      await client.close();
      const broken = ends.find((end) => end !== undefined);
      if (broken !== undefined) throw broken as Error;
    },
  };
}
