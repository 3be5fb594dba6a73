// Exclusive rights by name: who may probe, who has the slot. A lease ends by itself, so that it dies with its holder. Must
// not know what is done under it.

import type { Clock, Timer } from '../canonical/clock.ts';

/** An exclusive right of one holder, for a time. */
export interface Lease {
  readonly name: string;
  /**
   * `fleet`: nobody else in the installation has it. `proxy`: the store did not answer, so it is exclusive within this
   * process only; as many may hold it as there are proxies. May change with each renewal.
   */
  readonly scope: 'fleet' | 'proxy';
  /** Whether it is still the holder's by this process's clock: not released, not lost, not run out. */
  isHeld(): boolean;
  /**
   * Starts its time anew. False: it is lost, because it had run out, or because it was `proxy` only and somebody else has
   * it by the store. Waits 50 ms at most; never rejects.
   */
  renew(): Promise<boolean>;
  /** Gives it up. Whatever does not reach the store ends there with its time. */
  release(): void;
}

/** Hands out leases. */
export interface Leases {
  /**
   * The right of that name for so long, or undefined while somebody else has it. Waits 50 ms at most; never rejects. While
   * the store does not answer, a lease is held against this process only (`scope`).
   */
  lease(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** The first of several rights that is free, in their order, asked for in one go: waits no longer than `lease`. */
  leaseFirst(names: readonly string[], ttlMs: number): Promise<Lease | undefined>;
}

/**
 * Renews a lease three times within its time until it is released, cancelled or lost, so that two renewals may go wrong.
 * `onLost` is called once if it is lost.
 */
export function keepRenewed(clock: Clock, lease: Lease, ttlMs: number, onLost: () => void): Timer {
  let cancelled = false;
  let timer: Timer;

  async function renew(): Promise<void> {
    if (cancelled) return;
    if (!lease.isHeld() || !(await lease.renew())) {
      if (!cancelled) onLost();
      return;
    }
    arm();
  }

  function arm(): void {
    if (!cancelled) timer = clock.setTimer(ttlMs / 3, () => void renew());
  }

  arm();
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
    },
  };
}
