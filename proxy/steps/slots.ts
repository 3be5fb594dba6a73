// Slots of backends that serve one request at a time, in the whole installation (strategy FirstAvailable). A slot is a
// lease: it is kept while its request goes on, and dies with the proxy that holds it.

import type { Observer, Trail } from '../accounting/trail.ts';
import type { Clock, Timer } from '../canonical/clock.ts';
import { keepRenewed, type Lease, type Leases } from '../state/lease.ts';

/** How long a slot outlives a proxy that dies: long enough that two renewals may be lost. */
const slotMs = 15_000;

/**
 * Pauses between two questions whether a slot has become free: in this proxy it is heard of at once, and elsewhere it is
 * worth no more questions than that.
 */
const pauseMsMin = 50;
const pauseMsMax = 1_000;

/** Requests that may wait at once: each asks the store about once a second. */
const waitersMax = 1_024;

/** What slots stand on. */
export interface SlotsSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly leases: Pick<Leases, 'leaseFirst'>;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What a request wants. */
export interface SlotWish {
  readonly trail: Trail;
  /** Ids of backends of which one must be free, the first ones sooner; asked anew each time, and none gives up. */
  readonly backends: () => readonly string[];
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

interface HeldSlot {
  readonly backend: string;
  readonly lease: Lease;
  readonly renewal: Timer;
}

/** The slots that this proxy's requests hold. */
export class Slots {
  readonly #settings: SlotsSettings;
  readonly #held = new Map<Trail, HeldSlot[]>();
  readonly #waiters = new Set<AbortController>();

  constructor(settings: SlotsSettings) {
    this.#settings = settings;
  }

  /** Gives slots back when their request ends, however it does. */
  readonly observer: Observer = { requestEnded: (trail) => this.release(trail) };

  holds(trail: Trail, backend: string): boolean {
    return this.#held.get(trail)?.some((slot) => slot.backend === backend) === true;
  }

  /** Gets one slot of those that are wished for; false if none became free in time. Never rejects. */
  async acquire({ trail, backends, waitMs, signal }: SlotWish): Promise<boolean> {
    const { clock, leases, random } = this.#settings;
    const giveUpAtMs = clock.now() + waitMs;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
      const wanted = backends();
      if (wanted.length === 0 || signal.aborted) return false;
      const lease = await leases.leaseFirst(wanted.map(toName), slotMs);
      if (lease !== undefined) return this.#hold(trail, wanted, lease, signal);
      const leftMs = giveUpAtMs - clock.now();
      if (leftMs <= 0 || this.#waiters.size >= waitersMax) return false;
      // Not all at the same moment.
      await this.#pause(Math.min(leftMs, pauseMs * (0.5 + random() / 2)), signal);
    }
  }

  /** Gives back what a request holds. */
  release(trail: Trail): void {
    const slots = this.#held.get(trail);
    if (slots === undefined) return;
    this.#held.delete(trail);
    for (const { lease, renewal } of slots) {
      renewal.cancel();
      lease.release();
    }
    // Whoever has waited longest looks first.
    const [next] = this.#waiters;
    next?.abort();
  }

  #hold(trail: Trail, wanted: readonly string[], lease: Lease, signal: AbortSignal): boolean {
    const backend = wanted.find((id) => toName(id) === lease.name);
    if (backend === undefined || signal.aborted) {
      lease.release();
      return false;
    }
    // A slot that is lost (the store forgot it, or this process stood still) cannot be taken back from the upstream.
    const renewal = keepRenewed(this.#settings.clock, lease, slotMs, () => undefined);
    const slots = this.#held.get(trail) ?? [];
    this.#held.set(trail, [...slots, { backend, lease, renewal }]);
    return true;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    this.#waiters.add(nap);
    try {
      await this.#settings.wait(ms, AbortSignal.any([signal, nap.signal]));
    } finally {
      this.#waiters.delete(nap);
    }
  }
}

function toName(backend: string): string {
  return `slot:${backend}`;
}
