// A plan without the backends whose models cannot do what the request wants, and in which those come last, or not at all,
// whose context is too short for it.

import type { Backend, Rule } from '../config/snapshot.ts';
import type { Exclusives, PluggedRule } from '../routing/plan-parts.ts';
import type { FallbackClass, Plan, Veto } from '../routing/plan.ts';
import type { Visit } from '../routing/visit.ts';
import type { ProxyRequest } from './decode.ts';
import { RequestNeeds } from './request-needs.ts';

/** The plan itself where nothing is declared of any model. Throws ClientError where no model can. */
export function suitPlan(plan: Plan, rule: Rule, request: ProxyRequest): Plan {
  if (!rule.declaresModels()) return plan;
  const needs = new RequestNeeds(request);
  const backends = [...plan.backends()];
  if (backends.length > 0 && !backends.some((backend) => needs.areMetBy(backend))) throw needs.refusal(backends);
  const suited = new SuitedPlan(plan, needs);
  suited.leaveTooSmall();
  return suited;
}

class SuitedPlan implements Plan {
  readonly #plan: Plan;
  readonly #needs: RequestNeeds;
  /** Whether a backend was visited that the request fits into: what it has failed at, a smaller one cannot do. */
  #fitted = false;

  constructor(plan: Plan, needs: RequestNeeds) {
    this.#plan = plan;
    this.#needs = needs;
  }

  isEmpty(): boolean {
    return this.#plan.isEmpty();
  }

  next(usable?: Veto): Visit | undefined {
    return this.#pick((veto) => this.#plan.next(veto), usable);
  }

  nextDisabled(usable?: Veto): Visit | undefined {
    return this.#pick((veto) => this.#plan.nextDisabled(veto), usable);
  }

  hasNext(usable?: Veto): boolean {
    return this.#plan.hasNext(this.#suits(usable));
  }

  resting(usable?: Veto): readonly Backend[] {
    const suited = this.#plan.resting(this.#suits(usable));
    return suited.length > 0 || this.#fitted ? suited : this.#plan.resting(this.#able(usable));
  }

  groups(usable?: Veto): Iterable<readonly Backend[]> {
    const suited = [...this.#plan.groups(this.#suits(usable))];
    return suited.length > 0 || this.#fitted ? suited : this.#plan.groups(this.#able(usable));
  }

  plugged(): readonly PluggedRule[] {
    return this.#plan.plugged();
  }

  exclusives(): Exclusives {
    return this.#plan.exclusives();
  }

  skip(visit: Visit): void {
    this.#plan.skip(visit);
  }

  soonestReturn(): number {
    return this.#plan.soonestReturn();
  }

  backends(): Iterable<Backend> {
    return this.#plan.backends();
  }

  fallBack(failure: FallbackClass): boolean {
    const fallsBack = this.#plan.fallBack(failure);
    if (!fallsBack) return false;
    this.#fitted = false;
    this.leaveTooSmall();
    return true;
  }

  /** Where all that could serve are too small, the fallback for that is as good as any other backend, and asked before them. */
  leaveTooSmall(): void {
    const able = [...this.#plan.backends()].filter((backend) => this.#needs.areMetBy(backend));
    if (able.length > 0 && !able.some((backend) => this.#needs.fitsInto(backend))) this.fallBack('ContextLength');
  }

  #pick(next: (veto: Veto) => Visit | undefined, usable: Veto): Visit | undefined {
    const fitting = next(this.#suits(usable));
    if (fitting !== undefined) this.#fitted = true;
    return this.#fitted ? fitting : next(this.#able(usable));
  }

  #suits(usable: Veto): (backend: Backend) => boolean {
    const able = this.#able(usable);
    return (backend) => able(backend) && this.#needs.fitsInto(backend);
  }

  #able(usable: Veto): (backend: Backend) => boolean {
    return (backend) => usable?.(backend) !== false && this.#needs.areMetBy(backend);
  }
}
