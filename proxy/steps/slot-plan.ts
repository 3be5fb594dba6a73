// A plan some of whose backends serve one request at a time: it gives those only while this request holds their slots.

import type { Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Backend } from '../config/snapshot.ts';
import type { Exclusives } from '../routing/plan-parts.ts';
import type { FallbackClass, Plan, Veto, Visits } from '../routing/plan.ts';
import type { Visit } from '../routing/visit.ts';
import type { Journey } from './journey.ts';
import { laneOf } from './outgoing.ts';
import type { Slots } from './slots.ts';

/** What getting slots needs. */
interface SlotPlanSettings {
  readonly slots: Slots;
  readonly clock: Clock;
  readonly trail: Trail;
  readonly signal: AbortSignal;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  /** Whether the backend would be sent the request: what is answered here needs no slot. */
  readonly isSentTo: (backend: Backend) => boolean;
  /** Whether disabled backends are tried for want of others. */
  readonly mayOverride: boolean;
}

/** Of which backends a slot is wanted. */
interface Wanted {
  /** In their order. */
  readonly ids: readonly string[];
  /** Nobody can be asked without one. */
  readonly alone: boolean;
  /** They are enabled; else they are tried for want of others. */
  readonly enabled: boolean;
}

/** The visits of a plan, within slots. */
export class SlotPlan implements Visits {
  /** The last wait was in vain: all that could serve were busy. */
  busy = false;
  readonly #plan: Plan;
  readonly #settings: SlotPlanSettings;
  #exclusives: Exclusives;
  /** The backend whose slot was got for a visit that has not been made. */
  #reserved: string | undefined;
  /** Of the longest wait that the rules allow. */
  #waitedMs = 0;

  constructor(plan: Plan, settings: SlotPlanSettings) {
    this.#plan = plan;
    this.#settings = settings;
    this.#exclusives = plan.exclusives();
  }

  /**
   * Waits until a backend is free that would be asked next. True where somebody is enabled who is free, or needs no slot;
   * where nobody is enabled, the disabled ones that are tried for want of others are waited for.
   */
  free(usable: Veto): Promise<boolean> | boolean {
    const { slots, trail } = this.#settings;
    // The visit before is over.
    slots.release(trail);
    this.#reserved = undefined;
    this.busy = false;
    const wanted = this.#wanted(usable);
    return wanted.ids.length === 0 ? wanted.enabled && !wanted.alone : this.#reserve(usable, wanted);
  }

  /** A visit is made: what is picked from now on joins it. */
  visited(): void {
    this.#reserved = undefined;
  }

  /** A backend answers: where it is not the one whose slot is held, that one is free again. */
  served({ backend }: Visit): void {
    if (!this.#isExclusive(backend)) this.#settings.slots.release(this.#settings.trail);
  }

  next(usable: Veto): Visit | undefined {
    return this.#keepFor(this.#plan.next(this.#withinSlots(usable)));
  }

  hasNext(usable: Veto): boolean {
    return this.#plan.hasNext(this.#withinSlots(usable));
  }

  nextDisabled(usable: Veto): Visit | undefined {
    return this.#keepFor(this.#plan.nextDisabled(this.#withinSlots(usable)));
  }

  skip(visit: Visit): void {
    this.#plan.skip(visit);
  }

  isEmpty(): boolean {
    return this.#plan.isEmpty();
  }

  soonestReturn(): number {
    return this.#plan.soonestReturn();
  }

  fallBack(failure: FallbackClass): boolean {
    const fallsBack = this.#plan.fallBack(failure);
    if (fallsBack) this.#exclusives = this.#plan.exclusives();
    return fallsBack;
  }

  async #reserve(usable: Veto, { alone, enabled }: Wanted): Promise<boolean> {
    const { slots, clock, trail, signal, deadlineAtMs } = this.#settings;
    const sinceMs = clock.now();
    const waitMs = alone ? Math.min(this.#exclusives.waitMs - this.#waitedMs, deadlineAtMs - sinceMs) : 0;
    this.#reserved = await slots.acquire({ trail, backends: () => this.#wanted(usable).ids, waitMs, signal });
    if (alone) this.#waitedMs += clock.now() - sinceMs;
    if (this.#reserved !== undefined || !alone) return enabled;
    this.busy = this.#wanted(usable).ids.length > 0;
    if (!enabled) return false;
    // For want of those that were waited for.
    this.#reserved = await slots.acquire({ trail, backends: () => this.#resting(usable).ids, waitMs: 0, signal });
    return false;
  }

  #wanted(usable: Veto): Wanted {
    const groups = [...this.#plan.groups(usable)];
    return groups.length > 0 ? { ...this.#first(groups), enabled: true } : this.#resting(usable);
  }

  #resting(usable: Veto): Wanted {
    const resting = this.#settings.mayOverride ? this.#plan.resting(usable) : [];
    return { ...this.#first(resting.map((backend) => [backend])), enabled: false };
  }

  #first(groups: readonly (readonly Backend[])[]): Omit<Wanted, 'enabled'> {
    const ids: string[] = [];
    for (const group of groups) {
      const exclusive = group.filter((backend) => this.#isExclusive(backend));
      ids.push(...exclusive.map(({ id }) => id));
      // What comes after somebody who needs no slot is not asked now.
      if (exclusive.length < group.length) return { ids, alone: false };
    }
    return { ids, alone: true };
  }

  /** A slot that was got for somebody else than the strategies have chosen is given back. */
  #keepFor(visit: Visit | undefined): Visit | undefined {
    if (visit === undefined || this.#reserved === undefined || visit.backend.id === this.#reserved) return visit;
    this.#settings.slots.release(this.#settings.trail);
    this.#reserved = undefined;
    return visit;
  }

  #withinSlots(usable: Veto): (backend: Backend) => boolean {
    const { slots, trail } = this.#settings;
    return (backend) => usable?.(backend) !== false && (!this.#isExclusive(backend) || slots.holds(trail, backend.id));
  }

  #isExclusive(backend: Backend): boolean {
    return this.#exclusives.backends.has(backend.id) && this.#settings.isSentTo(backend);
  }
}

/** The plan within slots; undefined where none of its backends needs one. */
export function withSlots(
  plan: Plan,
  { request, trail, rule, deadlineAtMs }: Journey,
  { slots, clock }: Pick<SlotPlanSettings, 'slots' | 'clock'>,
): SlotPlan | undefined {
  if (!rule.usesSlots()) return undefined;
  const isSentTo = (backend: Backend): boolean => laneOf(request, backend)?.type !== 'estimate';
  const mayOverride = request.pin !== undefined || rule.failover.whenAllDisabled !== 'Fail';
  return new SlotPlan(plan, {
    slots,
    clock,
    trail,
    signal: request.exchange.signal,
    deadlineAtMs,
    isSentTo,
    mayOverride,
  });
}
