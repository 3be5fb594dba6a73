// One backend to be tried, and what for.

import type { Backend, Timeouts } from '../config/snapshot.ts';

/** One backend to be tried. */
export interface Visit {
  readonly backend: Backend;
  readonly timeouts: Timeouts;
  /** The backend is disabled: tried because nothing better is left, because the client insists, or to see whether it works. */
  readonly disabled: boolean;
  /** Tried while it is disabled only to see whether it works again (`failover.disable.probeSeconds`). */
  readonly early: boolean;
}

/** Tried for want of better ones, whatever is held against it: waits for nobody's trial, and is none itself. */
export function isLastResort({ disabled, early }: Pick<Visit, 'disabled' | 'early'>): boolean {
  return disabled && !early;
}
