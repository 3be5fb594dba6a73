// Where objects are found at the API server.

import type { ObjectRef } from '../config/watched-source.ts';

/** Path of one object. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
}

/**
 * Path of a watch of one object. Without a resourceVersion the server begins with the object as it is now, so that each
 * connection starts from the truth: no list before it, nothing to remember, no version that could have expired. The selector
 * is what a Role with resourceNames lets pass.
 */
export function watchPath(ref: ObjectRef, timeoutSeconds: number): string {
  const query = new URLSearchParams({
    watch: 'true',
    fieldSelector: `metadata.name=${ref.name}`,
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(timeoutSeconds),
  });
  return `${collectionPath(ref)}?${query}`;
}

function collectionPath({ kind, namespace }: ObjectRef): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind === 'ConfigMap' ? 'configmaps' : 'secrets'}`;
}
