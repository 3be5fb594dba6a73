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

/** A request that gets none for now. */
interface Waiter {
  /** What it last asked for. */
  wanted: readonly string[];
  /** Its pause; one that has been ended before it began is none. */
  nap: AbortController;
  /** The slot that it was woken for, until it has asked. */
  wokenFor: string | undefined;
}

/** The slots that this proxy's requests hold: one each at most. */
export class Slots {
  readonly #settings: SlotsSettings;
  readonly #held = new Map<Trail, HeldSlot>();
  /** Whoever has waited longest comes first. */
  readonly #waiters = new Set<Waiter>();

  constructor(settings: SlotsSettings) {
    this.#settings = settings;
  }

  /** Gives slots back when their request ends, however it does. */
  readonly observer: Observer = { requestEnded: (trail) => this.release(trail) };

  holds(trail: Trail, backend: string): boolean {
    return this.#held.get(trail)?.backend === backend;
  }

  /** Gets one slot of those that are wished for, and says whose; undefined if none became free in time. Never rejects. */
  async acquire(wish: SlotWish): Promise<string | undefined> {
    const waiter: Waiter = { wanted: [], nap: new AbortController(), wokenFor: undefined };
    const mayWait = wish.waitMs > 0 && this.#waiters.size < waitersMax;
    // From the beginning: what becomes free while it asks is not missed.
    if (mayWait) this.#waiters.add(waiter);
    try {
      return await this.#wait(wish, waiter, mayWait);
    } finally {
      this.#waiters.delete(waiter);
      if (waiter.wokenFor !== undefined) this.#wake(waiter.wokenFor);
    }
  }

  /** Gives back what a request holds. */
  release(trail: Trail): void {
    const slot = this.#held.get(trail);
    if (slot === undefined) return;
    this.#held.delete(trail);
    slot.renewal.cancel();
    this.#giveBack(slot.backend, slot.lease);
  }

  async #wait({ trail, backends, waitMs, signal }: SlotWish, waiter: Waiter, mayWait: boolean) {
    const { clock, random, wait } = this.#settings;
    const giveUpAtMs = clock.now() + waitMs;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 1.5, pauseMsMax)) {
      waiter.wanted = backends();
      if (waiter.wanted.length === 0 || signal.aborted) return undefined;
      const got = await this.#ask(trail, waiter, signal);
      if (got !== undefined || signal.aborted) return got;
      const leftMs = giveUpAtMs - clock.now();
      if (leftMs <= 0 || !mayWait) return undefined;
      // Not all at the same moment.
      await wait(Math.min(leftMs, pauseMs * (0.5 + random() / 2)), AbortSignal.any([signal, waiter.nap.signal]));
    }
  }

  async #ask(trail: Trail, waiter: Waiter, signal: AbortSignal): Promise<string | undefined> {
    const { clock, leases } = this.#settings;
    const { wanted, wokenFor } = waiter;
    waiter.nap = new AbortController();
    waiter.wokenFor = undefined;
    const lease = await leases.leaseFirst(wanted.map(toName), slotMs);
    const backend = wanted.find((id) => toName(id) === lease?.name);
    // It took another one, or wants that one no more: it is left to the next.
    const isLeft = backend === undefined ? !wanted.includes(wokenFor ?? '') : backend !== wokenFor;
    if (wokenFor !== undefined && isLeft) this.#wake(wokenFor);
    if (lease === undefined || backend === undefined) return undefined;
    if (signal.aborted) {
      this.#giveBack(backend, lease);
      return undefined;
    }
    // A slot that is lost (the store forgot it, or this process stood still) cannot be taken back from the upstream.
    const renewal = keepRenewed(clock, lease, slotMs, () => undefined);
    this.release(trail);
    this.#held.set(trail, { backend, lease, renewal });
    return backend;
  }

  #giveBack(backend: string, lease: Lease): void {
    lease.release();
    this.#wake(backend);
  }

  /** One slot is free: of those who have nothing to look after yet, the first that wants it looks. */
  #wake(backend: string): void {
    for (const waiter of this.#waiters) {
      if (waiter.wokenFor !== undefined || !waiter.wanted.includes(backend)) continue;
      waiter.wokenFor = backend;
      waiter.nap.abort();
      return;
    }
  }
}

function toName(backend: string): string {
  return `slot:${backend}`;
}
