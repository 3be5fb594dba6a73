// Leases of a proxy that is alone, or of several in one process: the table is all there is.

import type { Clock } from '../canonical/clock.ts';
import type { LeaseTable } from './lease-table.ts';
import type { Lease, Leases } from './lease.ts';

/** What memory leases are made of. */
export interface MemoryLeasesOptions {
  readonly clock: Clock;
  /** The same for all who compete. */
  readonly table: LeaseTable;
  /** Different for every proxy that competes. */
  readonly holder: string;
}

/** Leases that are given up when they are closed. */
export interface ClosableLeases extends Leases {
  /** Releases what is held through this object; nothing is to be had through it afterwards. */
  close(): void;
}

/** Leases without a server. */
export function createMemoryLeases({ clock, table, holder }: MemoryLeasesOptions): ClosableLeases {
  let made = 0;
  let closed = false;

  function toLease(name: string, token: string, ttlMs: number): Lease {
    const held = { name, token };
    return {
      name,
      scope: 'fleet',
      isHeld: () => table.isHeld(held),
      renew: async () => table.isHeld(held) && table.take(held, clock.now() + ttlMs),
      release: () => table.release(held),
    };
  }

  async function leaseFirst(names: readonly string[], ttlMs: number): Promise<Lease | undefined> {
    if (closed) return undefined;
    const token = `${holder}.${(made += 1)}`;
    const name = names.find((each) => table.take({ name: each, token }, clock.now() + ttlMs));
    return name === undefined ? undefined : toLease(name, token, ttlMs);
  }

  return {
    lease: (name, ttlMs) => leaseFirst([name], ttlMs),
    leaseFirst,
    close() {
      closed = true;
      for (const held of table.list()) if (held.token.startsWith(`${holder}.`)) table.release(held);
    },
  };
}
