// A plan some of whose backends serve one request at a time: it gives those only while this request holds their slots.

import type { Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Backend } from '../config/snapshot.ts';
import type { Exclusives, PluggedRule } from '../routing/plan-parts.ts';
import type { FallbackClass, Plan, Veto } from '../routing/plan.ts';
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
}

/** A plan within slots. */
export class SlotPlan implements Plan {
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

  /** Waits until a backend is free that would be asked next; whether there is one, or somebody who needs no slot. */
  free(usable: Veto): Promise<boolean> | boolean {
    const { slots, trail } = this.#settings;
    // The visit before is over.
    slots.release(trail);
    this.#reserved = undefined;
    this.busy = false;
    const { ids, alone } = this.#wanted(usable);
    return ids.length === 0 ? !alone : this.#reserve(usable, alone);
  }

  /** A disabled backend that is tried for want of others needs its slot too. Undefined: there is nothing to be had. */
  prepare({ backend, disabled }: Visit): Promise<boolean> | undefined {
    const { slots, trail, signal } = this.#settings;
    const { id } = backend;
    this.#reserved = undefined;
    if (!disabled || !this.#isExclusive(backend) || slots.holds(trail, id)) return undefined;
    return slots.acquire({ trail, backends: () => [id], waitMs: 0, signal }).then((got) => got !== undefined);
  }

  /** A backend answers: where it is not the one whose slot is held, that one is free again. */
  served({ backend }: Visit): void {
    if (!this.#isExclusive(backend)) this.#settings.slots.release(this.#settings.trail);
  }

  next(usable: Veto): Visit | undefined {
    const visit = this.#plan.next((backend) => usable?.(backend) !== false && this.#mayVisit(backend));
    // The strategies have chosen somebody else, or nobody.
    if (this.#reserved !== undefined && visit?.backend.id !== this.#reserved) {
      this.#settings.slots.release(this.#settings.trail);
      this.#reserved = undefined;
    }
    return visit;
  }

  hasNext(usable: Veto): boolean {
    return this.#plan.hasNext((backend) => usable?.(backend) !== false && this.#mayVisit(backend));
  }

  nextDisabled(usable: Veto): Visit | undefined {
    // Who is only busy is not disabled.
    const open = new Set([...this.#plan.groups(usable)].flat().map(({ id }) => id));
    return this.#plan.nextDisabled((backend) => usable?.(backend) !== false && !open.has(backend.id));
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

  groups(usable: Veto): Iterable<readonly Backend[]> {
    return this.#plan.groups(usable);
  }

  backends(): Iterable<Backend> {
    return this.#plan.backends();
  }

  fallBack(failure: FallbackClass): boolean {
    const fallsBack = this.#plan.fallBack(failure);
    if (fallsBack) this.#exclusives = this.#plan.exclusives();
    return fallsBack;
  }

  plugged(): readonly PluggedRule[] {
    return this.#plan.plugged();
  }

  exclusives(): Exclusives {
    return this.#exclusives;
  }

  async #reserve(usable: Veto, alone: boolean): Promise<boolean> {
    const { slots, clock, trail, signal, deadlineAtMs } = this.#settings;
    const sinceMs = clock.now();
    const waitMs = alone ? Math.min(this.#exclusives.waitMs - this.#waitedMs, deadlineAtMs - sinceMs) : 0;
    this.#reserved = await slots.acquire({ trail, backends: () => this.#wanted(usable).ids, waitMs, signal });
    if (alone) this.#waitedMs += clock.now() - sinceMs;
    if (this.#reserved !== undefined || !alone) return true;
    this.busy = this.#wanted(usable).ids.length > 0;
    return false;
  }

  /** Ids of the backends of which a slot is wanted, in their order. `alone`: nobody can be asked without one. */
  #wanted(usable: Veto): { readonly ids: readonly string[]; readonly alone: boolean } {
    const ids: string[] = [];
    for (const group of this.#plan.groups(usable)) {
      const exclusive = group.filter((backend) => this.#isExclusive(backend));
      ids.push(...exclusive.map(({ id }) => id));
      // What comes after somebody who needs no slot is not asked now.
      if (exclusive.length < group.length) return { ids, alone: false };
    }
    return { ids, alone: true };
  }

  #mayVisit(backend: Backend): boolean {
    return !this.#isExclusive(backend) || this.#settings.slots.holds(this.#settings.trail, backend.id);
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
  return new SlotPlan(plan, { slots, clock, trail, signal: request.exchange.signal, deadlineAtMs, isSentTo });
}
