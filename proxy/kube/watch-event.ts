// One line of a watch. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes

import type { HolderObject } from '../config/watched-source.ts';
import { ApiFailure, toApiFailure } from './api-failure.ts';

/** What a line of a watch says. */
export type WatchEvent =
  | { readonly type: 'present'; readonly object: HolderObject }
  | { readonly type: 'deleted' }
  /** About once a minute, as long as anything of its kind changes in the cluster: the server is still there. */
  | { readonly type: 'bookmark' };

/** Reads a line. Throws an ApiFailure where it says that the watch is over, or says nothing that is known. */
export function readWatchEvent(line: string): WatchEvent {
  const { type, object } = JSON.parse(line) as { readonly type?: unknown; readonly object?: unknown };
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      if (typeof object === 'object' && object !== null) return { type: 'present', object };
      break;
    case 'DELETED':
      return { type: 'deleted' };
    case 'BOOKMARK':
      return { type: 'bookmark' };
    case 'ERROR': {
      const code = (object as { readonly code?: unknown } | null)?.code;
      throw toApiFailure(typeof code === 'number' ? code : 500, JSON.stringify(object));
    }
    default:
  }
  throw new ApiFailure('an event of no known kind', { kind: 'no-event' });
}
