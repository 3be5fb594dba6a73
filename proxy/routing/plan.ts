// The order in which a request may visit backends: lazily, so that a disable made a millisecond ago counts.
// Enabled backends by tier first, then the fallback route, then (if the rule allows) disabled ones, soonest return first.

import type {
  Backend,
  Candidate,
  MatchContext,
  Pin,
  RouteReference,
  Rule,
  Tier,
  Timeouts,
} from '../config/snapshot.ts';
import { compileTimeouts } from '../config/timeouts.ts';

/** What a plan asks about the present; each is asked at the moment it matters. */
export interface PlanFacts {
  /** 0: the backend may be used. Else Unix milliseconds of its return; Infinity where nobody knows. */
  readonly disabledUntil: (backend: Backend) => number;
  /** Whether that disable must not be overridden. */
  readonly isHard: (backend: Backend) => boolean;
  /** Rule 21: false while another request tries whether the backend works again. */
  readonly claim: (backend: Backend) => boolean;
  /** Chooses inside a tier by the rule's strategy. */
  readonly pick: <C extends { readonly id: string; readonly weight: number }>(
    tier: Tier,
    rule: Rule,
    eligible: readonly C[],
  ) => C;
}

/** One backend to be tried. */
export interface Visit {
  readonly backend: Backend;
  readonly timeouts: Timeouts;
  /** The backend is disabled: tried because nothing better is left, or because the client insists. */
  readonly disabled: boolean;
}

/** Hands out visits, none twice. */
export interface Plan {
  /** Whether there is no backend at all, disabled ones included: waiting cannot help. */
  isEmpty(): boolean;
  /** The next enabled backend, or undefined. `usable` may veto candidates for this request. */
  next(usable?: (backend: Backend) => boolean): Visit | undefined;
  /** The untried, softly disabled backend that returns first, or undefined. */
  nextDisabled(usable?: (backend: Backend) => boolean): Visit | undefined;
  /** Unix milliseconds of the soonest return of any backend of the plan; Infinity if none is disabled. */
  soonestReturn(): number;
}

interface Node {
  readonly id: string;
  readonly weight: number;
  readonly candidate: Candidate;
  readonly inner: RulePlan | undefined;
  tried: boolean;
  /** Somebody else's trial was running when this request wanted it: only to be used as if it were disabled. */
  skipped: boolean;
}

/** References to references deeper than this cannot come from a configuration without cycles and 16 rules a route. */
const depthMax = 16;

/** A plan over all tiers of a rule. */
export function createPlan(rule: Rule, context: MatchContext, facts: PlanFacts): Plan {
  return new RulePlan(rule, rule, context, facts, 0);
}

/** A plan for what the client insists on: one backend, or one referenced route. */
export function createPinnedPlan({ rule, candidate }: Pin, context: MatchContext, facts: PlanFacts): Plan {
  const tier = { id: `${rule.id}/pin/${candidate.name}`, priority: 0, candidates: [candidate] };
  return new RulePlan({ ...rule, tiers: [tier], fallback: undefined }, rule, context, facts, 0);
}

class RulePlan implements Plan {
  readonly #tiers: readonly { readonly tier: Tier; readonly rule: Rule; readonly nodes: readonly Node[] }[];
  /** The rule that the request came in by: its timeouts apply also inside referenced routes. */
  readonly #outer: Rule;
  readonly #context: MatchContext;
  readonly #facts: PlanFacts;

  constructor(rule: Rule, outer: Rule, context: MatchContext, facts: PlanFacts, depth: number) {
    this.#outer = outer;
    this.#context = context;
    this.#facts = facts;
    const tiers = rule.tiers.map((tier) => ({ tier, rule, nodes: tier.candidates.map((it) => this.#node(it, depth)) }));
    if (rule.fallback !== undefined) {
      const tier = { id: `${rule.id}/fallback`, priority: Infinity, candidates: [rule.fallback] };
      tiers.push({ tier, rule, nodes: [this.#node(rule.fallback, depth)] });
    }
    this.#tiers = tiers;
  }

  isEmpty(): boolean {
    return this.#tiers.every(({ nodes }) => nodes.every(({ inner }) => inner?.isEmpty() ?? false));
  }

  next(usable?: (backend: Backend) => boolean): Visit | undefined {
    for (const { tier, rule, nodes } of this.#tiers) {
      for (;;) {
        const eligible = nodes.filter((node) => this.#isEligible(node, usable));
        if (eligible.length === 0) break;
        const only = eligible[0];
        const node = eligible.length === 1 && only !== undefined ? only : this.#facts.pick(tier, rule, eligible);
        const visit = this.#take(node, usable);
        if (visit !== undefined) return visit;
      }
    }
    return undefined;
  }

  nextDisabled(usable?: (backend: Backend) => boolean): Visit | undefined {
    let soonest: { readonly node: Node; readonly backend: Backend; readonly until: number } | undefined;
    for (const node of this.#leaves()) {
      const { candidate: backend, tried } = node;
      if (backend.kind !== 'backend' || tried || this.#facts.isHard(backend) || usable?.(backend) === false) continue;
      const until = this.#facts.disabledUntil(backend);
      if (soonest === undefined || until < soonest.until) soonest = { node, backend, until };
    }
    if (soonest === undefined) return undefined;
    soonest.node.tried = true;
    return this.#visit(soonest.backend, true);
  }

  soonestReturn(): number {
    let soonest = Infinity;
    for (const { candidate } of this.#leaves()) {
      if (candidate.kind !== 'backend') continue;
      const until = this.#facts.disabledUntil(candidate);
      if (until > 0 && until < soonest) soonest = until;
    }
    return soonest;
  }

  hasEligible(usable?: (backend: Backend) => boolean): boolean {
    return this.#tiers.some(({ nodes }) => nodes.some((node) => this.#isEligible(node, usable)));
  }

  *#leaves(): Iterable<Node> {
    for (const { nodes } of this.#tiers) {
      for (const node of nodes) {
        if (node.inner === undefined) yield node;
        else yield* node.inner.#leaves();
      }
    }
  }

  #isEligible({ candidate, tried, skipped, inner }: Node, usable?: (backend: Backend) => boolean): boolean {
    if (inner !== undefined) return inner.hasEligible(usable);
    if (tried || skipped || candidate.kind !== 'backend') return false;
    return this.#facts.disabledUntil(candidate) === 0 && usable?.(candidate) !== false;
  }

  /** Undefined if another request's trial of the backend is running. */
  #take(node: Node, usable?: (backend: Backend) => boolean): Visit | undefined {
    if (node.inner !== undefined) return node.inner.next(usable);
    const { candidate } = node;
    if (candidate.kind !== 'backend') return undefined;
    if (!this.#facts.claim(candidate)) {
      node.skipped = true;
      return undefined;
    }
    node.tried = true;
    return this.#visit(candidate, false);
  }

  #visit(backend: Backend, disabled: boolean): Visit {
    // A backend's own deadlines were compiled with the rule it stands in; inside a referenced route the outer rule's apply.
    const own = backend.route === this.#outer.id.slice(0, this.#outer.id.lastIndexOf('/'));
    const timeouts = own ? backend.timeouts : compileTimeouts(backend.provider.config.timeouts, this.#outer.timeouts);
    return { backend, timeouts, disabled };
  }

  #node(candidate: Candidate, depth: number): Node {
    return {
      id: candidate.kind === 'backend' ? candidate.id : candidate.name,
      weight: candidate.weight,
      candidate,
      tried: false,
      skipped: false,
      inner: candidate.kind === 'route' ? this.#enter(candidate, depth) : undefined,
    };
  }

  /** The referenced route's first rule that matches; its access is not asked. An empty plan if none matches. */
  #enter(reference: RouteReference, depth: number): RulePlan {
    const rule = reference.route.rules.find((it) => it.matches(this.#context));
    const reachable = rule === undefined || depth >= depthMax ? emptyRule(this.#outer) : rule;
    return new RulePlan(reachable, this.#outer, this.#context, this.#facts, depth + 1);
  }
}

function emptyRule(rule: Rule): Rule {
  return { ...rule, tiers: [], fallback: undefined };
}
