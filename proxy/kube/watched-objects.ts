// The objects that a proxy follows, by way of the API server: each watched one has a watch of its own, the others are fetched.

import type { HolderObject, HolderObjects, ObjectRef } from '../config/watched-source.ts';
import { type ApiServer, readWhole } from './api-server.ts';
import { ApiFailure } from './api-failure.ts';
import { objectPath } from './object-path.ts';
import { keepWatching, type WatchOptions } from './watch.ts';

/** An object holds 1 MiB at most; base64 and escapes make several of it. */
const objectBytesMax = 8 * 1024 * 1024;
/** An object is fetched within this time, or again later. */
const fetchMs = 10_000;

/** What objects are followed with; `signal` ends everything. */
export type FollowingOptions = Omit<WatchOptions, 'ref' | 'onObject'>;

/** Follows objects until the signal is aborted. */
export function followObjects(options: FollowingOptions): HolderObjects {
  return {
    watch: (ref, onObject) => void keepWatching({ ...options, ref, onObject }),
    get: (ref) => fetchObject(options.server, ref, options.signal),
  };
}

async function fetchObject(server: ApiServer, ref: ObjectRef, signal: AbortSignal): Promise<HolderObject | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(fetchMs)]);
  try {
    return await server.ask({ path: objectPath(ref), signal: deadline }, async (bytes) => {
      return JSON.parse((await readWhole(bytes, objectBytesMax)).toString('utf8')) as HolderObject;
    });
  } catch (error) {
    if (error instanceof ApiFailure && error.kind === '404') return undefined;
    throw error;
  }
}
