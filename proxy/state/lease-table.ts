// The leases that are held in this process, by name. Synchronous and exact; what other processes hold is not known here.

import type { Clock } from '../canonical/clock.ts';

/** One lease: its name, and the token of the one who has it. */
export interface HeldLease {
  readonly name: string;
  readonly token: string;
}

/** Who holds what, for how long. */
export interface LeaseTable {
  /** Whether nobody holds it. */
  isFree(name: string): boolean;
  /** Whether this token has it, still. */
  isHeld(lease: HeldLease): boolean;
  /** Gives it to the token until then (by the clock), anew if the token has it already; false if another has it. */
  take(lease: HeldLease, untilMs: number): boolean;
  /** Takes it from this token; nothing happens if another has it. */
  release(lease: HeldLease): void;
  /** All that is held. */
  list(): readonly HeldLease[];
}

/**
 * Leases held at once in one process: several for each of the thousands of requests that a proxy can have under way.
 * Beyond that there are none to be had, as if all were taken.
 */
const leasesMax = 10_000;

/** An empty table. */
export function createLeaseTable({ clock }: { readonly clock: Clock }): LeaseTable {
  const leases = new Map<string, { readonly token: string; readonly untilMs: number }>();

  function holderOf(name: string): string | undefined {
    const lease = leases.get(name);
    if (lease === undefined) return undefined;
    if (lease.untilMs > clock.now()) return lease.token;
    leases.delete(name);
    return undefined;
  }

  function dropEnded(): void {
    const nowMs = clock.now();
    for (const [name, { untilMs }] of leases) if (untilMs <= nowMs) leases.delete(name);
  }

  return {
    isFree: (name) => holderOf(name) === undefined,
    isHeld: ({ name, token }) => holderOf(name) === token,
    take({ name, token }, untilMs) {
      const holder = holderOf(name);
      if (holder !== undefined && holder !== token) return false;
      if (leases.size >= leasesMax) dropEnded();
      if (leases.size >= leasesMax && holder === undefined) return false;
      leases.set(name, { token, untilMs });
      return true;
    },
    release({ name, token }) {
      if (holderOf(name) === token) leases.delete(name);
    },
    list() {
      dropEnded();
      return [...leases].map(([name, { token }]) => ({ name, token }));
    },
  };
}
