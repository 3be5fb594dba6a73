// Rule 5 of failure.md: a body that one backend answered with 500 says nothing against the next backend that it breaks.
// Without this, one poisonous request, retried by its client, would take the fleet down backend by backend.

import { hash } from 'node:crypto';
import type { Clock } from '../canonical/clock.ts';

/** Remembers bodies that backends answered with 500. */
export interface PoisonBook {
  /**
   * For every 500: remembers it, and tells whether another backend has answered the same body with 500 lately. Only
   * then is the body hashed, so that requests which succeed cost nothing.
   */
  record(body: Uint8Array, backend: string): boolean;
}

/** How long a 500 speaks for other backends: as long as the default disable. */
const poisonMs = 600_000;
/** Bodies remembered. Each is a 500 of the last ten minutes; with more of them it is not the bodies that are broken. */
const bodiesMax = 10_000;

/** Makes a poison book. */
export function createPoisonBook({ clock }: { readonly clock: Clock }): PoisonBook {
  /** By hash of the body, oldest first. */
  const firsts = new Map<string, { readonly backend: string; readonly atMs: number }>();

  function record(body: Uint8Array, backend: string): boolean {
    const nowMs = clock.now();
    const id = hash('sha256', body, 'base64');
    const first = firsts.get(id);
    if (first !== undefined && first.backend !== backend && nowMs - first.atMs < poisonMs) return true;
    firsts.delete(id);
    firsts.set(id, { backend, atMs: nowMs });
    for (const [oldest, { atMs }] of firsts) {
      if (firsts.size <= bodiesMax && nowMs - atMs < poisonMs) break;
      firsts.delete(oldest);
    }
    return false;
  }

  return { record };
}
