// A plan some of whose backends serve one request at a time: it gives those only while this request holds their slots.

import type { Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Backend } from '../config/snapshot.ts';
import type { Exclusives, PluggedRule } from '../routing/plan-parts.ts';
import type { FallbackClass, Plan, Veto } from '../routing/plan.ts';
import type { Visit } from '../routing/visit.ts';
import type { Journey } from './journey.ts';
import type { Slots } from './slots.ts';

/** What getting slots needs. */
interface SlotPlanSettings {
  readonly slots: Slots;
  readonly clock: Clock;
  readonly trail: Trail;
  readonly signal: AbortSignal;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  /** Whether a second backend may be asked while the first one still works. */
  readonly hedges: boolean;
}

/** A plan within slots. */
export class SlotPlan implements Plan {
  /** The last wait was in vain: all that could serve were busy. */
  busy = false;
  readonly #plan: Plan;
  readonly #exclusives: Exclusives;
  readonly #settings: SlotPlanSettings;

  constructor(plan: Plan, exclusives: Exclusives, settings: SlotPlanSettings) {
    this.#plan = plan;
    this.#exclusives = exclusives;
    this.#settings = settings;
  }

  /** Waits until one of the backends is free; whether there is one. Backends without slots need no waiting for. */
  async free(usable: Veto): Promise<boolean> {
    const { slots, clock, trail, signal, deadlineAtMs, hedges } = this.#settings;
    // The visit before is over, unless another one may still be going on beside this.
    if (!hedges) slots.release(trail);
    const backends = (): string[] => this.#open(usable).filter((id) => this.#isExclusive(id));
    const isPicky = this.#open(usable).every((id) => this.#isExclusive(id));
    if (backends().length === 0) return false;
    const waitMs = isPicky ? Math.min(this.#exclusives.waitMs, deadlineAtMs - clock.now()) : 0;
    const isFree = await slots.acquire({ trail, backends, waitMs, signal });
    this.busy = !isFree && isPicky && backends().length > 0;
    return isFree;
  }

  /** A disabled backend that is tried for want of others needs its slot too. Undefined: there is nothing to be had. */
  prepare({ backend: { id }, disabled }: Visit): Promise<boolean> | undefined {
    const { slots, trail, signal } = this.#settings;
    if (!disabled || !this.#isExclusive(id) || slots.holds(trail, id)) return undefined;
    return slots.acquire({ trail, backends: () => [id], waitMs: 0, signal });
  }

  next(usable: Veto): Visit | undefined {
    return this.#plan.next((backend) => usable?.(backend) !== false && this.#mayVisit(backend));
  }

  hasNext(usable: Veto): boolean {
    return this.#plan.hasNext((backend) => usable?.(backend) !== false && this.#mayVisit(backend));
  }

  nextDisabled(usable: Veto): Visit | undefined {
    // Who is only busy is not disabled.
    const open = new Set(this.#open(usable));
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

  eligible(usable: Veto): readonly Backend[] {
    return this.#plan.eligible(usable);
  }

  backends(): Iterable<Backend> {
    return this.#plan.backends();
  }

  fallBack(failure: FallbackClass): boolean {
    return this.#plan.fallBack(failure);
  }

  plugged(): readonly PluggedRule[] {
    return this.#plan.plugged();
  }

  exclusives(): Exclusives {
    return this.#exclusives;
  }

  #open(usable: Veto): string[] {
    return this.#plan.eligible(usable).map(({ id }) => id);
  }

  #mayVisit({ id }: Backend): boolean {
    return !this.#isExclusive(id) || this.#settings.slots.holds(this.#settings.trail, id);
  }

  #isExclusive(id: string): boolean {
    return this.#exclusives.backends.has(id);
  }
}

/** The plan within slots; undefined where none of its backends needs one. */
export function withSlots(
  plan: Plan,
  { request, trail, rule, deadlineAtMs }: Journey,
  { slots, clock }: Pick<SlotPlanSettings, 'slots' | 'clock'>,
): SlotPlan | undefined {
  const exclusives = plan.exclusives();
  if (exclusives === undefined) return undefined;
  const { signal } = request.exchange;
  const hedges = rule.failover.hedgeSeconds !== undefined;
  return new SlotPlan(plan, exclusives, { slots, clock, trail, signal, deadlineAtMs, hedges });
}
