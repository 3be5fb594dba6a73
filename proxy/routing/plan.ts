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
import type { FailoverConfig } from '../config/schema.ts';
import { compileTimeouts } from '../config/timeouts.ts';
import type { Choice, Exclusives, PlanFacts, PluggedChoice, PluggedRule } from './plan-parts.ts';
import { foremost } from './rank.ts';
import type { Visit } from './visit.ts';

/** Hands out visits, none twice. */
export interface Visits {
  /** Whether there is no backend at all, disabled ones included: waiting cannot help. */
  isEmpty(): boolean;
  /** The next enabled backend, or undefined. `usable` may veto candidates for this request. */
  next(usable?: Veto): Visit | undefined;
  /** Whether `next` has one, as far as that can be told without asking for it. */
  hasNext(usable?: Veto): boolean;
  /** Takes back a visit that must not be made now: from then on its backend counts as disabled. */
  skip(visit: Visit): void;
  /** The untried, softly disabled backend that returns first, or undefined. */
  nextDisabled(usable?: Veto): Visit | undefined;
  /** Unix milliseconds of the soonest return of any backend of the plan; Infinity if none is disabled. */
  soonestReturn(): number;
  /** From now on only the route that the rule names for such failures is asked; false if it names none, or was asked. */
  fallBack(failure: FallbackClass): boolean;
}

/** Says besides what it is going to hand out. */
export interface Plan extends Visits {
  /** Backends in the order in which `nextDisabled` comes to them. */
  resting(usable?: Veto): readonly Backend[];
  /** Backends in the order in which `next` comes to them. Which of a group is first is for the strategies to say. */
  groups(usable?: Veto): Iterable<readonly Backend[]>;
  /** Backends that serve one request at a time. */
  exclusives(): Exclusives;
  /** Rules with a plugin that have something to be ordered and have not been given before: fallbacks bring others. */
  plugged(): readonly PluggedRule[];
  /** All backends, whatever their state; references may lead to one of them several times. */
  backends(): Iterable<Backend>;
}

/** Failures that a rule may name a route of its own for. */
export type FallbackClass = NonNullable<FailoverConfig['fallbacks']>[number]['class'];

interface Node extends Choice {
  readonly candidate: Candidate;
  readonly inner: RulePlan | undefined;
}

/** What all plans of one request share. */
interface Journey {
  readonly context: MatchContext;
  readonly facts: PlanFacts;
  /** Ids of backends that were handed out: several references may lead to the same one. */
  readonly tried: Set<string>;
  /** Ids of backends that somebody else was trying when this request wanted them: only to be used as if disabled. */
  readonly skipped: Set<string>;
  /** Rules with a plugin that have not been given; undefined where there are none. */
  plugged: Set<RulePlan> | undefined;
  /** Plans of referenced routes: references may meet again, many times over. */
  readonly entered: Map<string, RulePlan>;
}

function begin(context: MatchContext, facts: PlanFacts): Journey {
  return {
    context,
    facts,
    tried: new Set(),
    skipped: new Set(),
    plugged: undefined,
    entered: new Map(),
  };
}

/** A backend, where it stands. */
interface Leaf {
  readonly plan: RulePlan;
  readonly node: Node;
  readonly backend: Backend;
}

/** Whether a request may use a backend; undefined: it may use all. */
export type Veto = ((backend: Backend) => boolean) | undefined;

/** References to references deeper than this cannot come from a configuration without cycles and 16 rules a route. */
const depthMax = 16;

/** A plan over all tiers of a rule. */
export function createPlan(rule: Rule, context: MatchContext, facts: PlanFacts): Plan {
  return new RulePlan(rule, [], begin(context, facts));
}

/** A plan for what the client insists on: one backend, or one referenced route. */
export function createPinnedPlan({ rule, candidate }: Pin, context: MatchContext, facts: PlanFacts): Plan {
  const tier = { id: `${rule.id}/pin/${candidate.name}`, priority: 0, candidates: [candidate], hasSpares: false };
  return new RulePlan({ ...rule, tiers: [tier], fallback: undefined, fallbacks: undefined }, [], begin(context, facts));
}

const none: readonly never[] = [];

class RulePlan implements Plan {
  #tiers: readonly { readonly tier: Tier; readonly nodes: readonly Node[] }[];
  readonly #fallenBack = new Set<FallbackClass>();
  readonly #rule: Rule;
  /** Rules that led here through references, outermost first: that one's timeouts apply, and the policy of each. */
  readonly #enclosing: readonly Rule[];
  /** The longest usual time to first content that this rule and those that led here allow. */
  readonly #firstContentMsMax: number;
  /** Longest wait for a slot, by this rule or one that led here; undefined where backends need none. */
  readonly #slotWaitMs: number | undefined;
  readonly #journey: Journey;

  constructor(rule: Rule, enclosing: readonly Rule[], journey: Journey) {
    this.#rule = rule;
    this.#enclosing = enclosing;
    this.#firstContentMsMax = Math.min(...[rule, ...enclosing].map((it) => it.firstContentMsMax ?? Infinity));
    this.#slotWaitMs = [rule, ...enclosing].find((it) => it.slotWaitMs !== undefined)?.slotWaitMs;
    if (rule.plugin !== undefined) (journey.plugged ??= new Set()).add(this);
    this.#journey = journey;
    const tiers = rule.tiers.map((tier) => ({ tier, nodes: this.#nodes(tier.candidates) }));
    this.#tiers = rule.fallback === undefined ? tiers : [...tiers, this.#fallbackTier(rule.fallback)];
  }

  #fallbackTier(fallback: RouteReference): { readonly tier: Tier; readonly nodes: readonly Node[] } {
    const tier = { id: `${this.#rule.id}/fallback`, priority: Infinity, candidates: [fallback], hasSpares: false };
    return { tier, nodes: this.#nodes(tier.candidates) };
  }

  fallBack(failure: FallbackClass): boolean {
    const fallback = this.#rule.fallbacks?.get(failure);
    if (fallback === undefined || this.#fallenBack.has(failure)) return false;
    this.#fallenBack.add(failure);
    this.#tiers = [this.#fallbackTier(fallback)];
    return true;
  }

  *backends(): Iterable<Backend> {
    for (const { backend } of this.#leaves()) yield backend;
  }

  isEmpty(seen = new Set<RulePlan>()): boolean {
    if (seen.has(this)) return true;
    seen.add(this);
    return this.#tiers.every(({ nodes }) => nodes.every(({ inner }) => inner?.isEmpty(seen) ?? false));
  }

  next(usable?: Veto): Visit | undefined {
    for (const { tier, nodes } of this.#tiers) {
      const early = nodes.find((node) => this.#isEarly(node, usable));
      if (early?.candidate.kind === 'backend') return this.#visit(early.candidate, { disabled: true, early: true });
      for (;;) {
        const eligible = this.#foremost(tier, nodes, usable);
        const [only] = eligible;
        if (only === undefined) break;
        const node = eligible.length === 1 ? only : this.#journey.facts.pick(tier, this.#rule, eligible);
        const visit = this.#take(node, usable);
        if (visit !== undefined) return visit;
      }
    }
    return undefined;
  }

  hasNext(usable?: Veto): boolean {
    return this.hasEligible(usable, new Set());
  }

  skip({ backend }: Visit): void {
    this.#journey.tried.delete(backend.id);
    this.#journey.skipped.add(backend.id);
  }

  nextDisabled(usable?: Veto): Visit | undefined {
    const [soonest] = this.#resting(usable);
    return soonest === undefined ? undefined : soonest.plan.#visit(soonest.backend, { disabled: true });
  }

  resting(usable?: Veto): readonly Backend[] {
    return this.#resting(usable).map(({ backend }) => backend);
  }

  #resting(usable: Veto): readonly Leaf[] {
    const { facts, tried } = this.#journey;
    const isResting = ({ plan, backend }: Leaf): boolean =>
      !tried.has(backend.id) && !facts.isHard(backend) && usable?.(backend) !== false && !plan.#isTooSlow(backend);
    const until = new Map([...this.#leaves()].filter(isResting).map((it) => [it, facts.disabledUntil(it.backend)]));
    return [...until.keys()].toSorted((one, other) => until.get(one)! - until.get(other)!);
  }

  soonestReturn(): number {
    let soonest = Infinity;
    for (const { backend } of this.#leaves()) {
      const until = this.#journey.facts.disabledUntil(backend);
      if (until > 0 && until < soonest) soonest = until;
    }
    return soonest;
  }

  /** `seen` are plans in which this question has been asked: it need not be asked again. */
  hasEligible(usable: Veto, seen: Set<RulePlan>): boolean {
    if (seen.has(this)) return false;
    seen.add(this);
    return this.#tiers.some(({ nodes }) =>
      nodes.some((node) => this.#isEligible(node, usable, seen) || this.#isEarly(node, usable)),
    );
  }

  /** Enabled backends that have not been tried. */
  eligible(): readonly Backend[] {
    const backends: Backend[] = [];
    for (const { plan, node, backend } of this.#leaves()) if (plan.#isEligible(node, undefined)) backends.push(backend);
    return backends;
  }

  *groups(usable?: Veto): Iterable<readonly Backend[]> {
    const before = new Set<string>();
    for (;;) {
      const group = this.#firsts((backend) => !before.has(backend.id) && usable?.(backend) !== false, new Set());
      if (group.length === 0) return;
      yield group;
      for (const { id } of group) before.add(id);
    }
  }

  exclusives(): Exclusives {
    const backends = new Set<string>();
    let waitMs = 0;
    for (const { plan, backend } of this.#leaves()) {
      if (plan.#slotWaitMs === undefined) continue;
      backends.add(backend.id);
      waitMs = Math.max(waitMs, plan.#slotWaitMs);
    }
    return { backends, waitMs };
  }

  plugged(): readonly PluggedRule[] {
    const { plugged } = this.#journey;
    if (plugged === undefined) return none;
    this.#journey.plugged = undefined;
    return [...plugged]
      .filter((plan) => plan.#hasChoice())
      .map((plan) => ({ rule: plan.#rule, choices: plan.#choices() }));
  }

  #hasChoice(): boolean {
    return this.#tiers.some(({ nodes }) => nodes.length > 1);
  }

  #choices(): readonly PluggedChoice[] {
    return this.#tiers.flatMap(({ nodes }) =>
      nodes.map((node) => ({ id: node.id, candidate: node.candidate, enabled: this.#isEligible(node, undefined) })),
    );
  }

  *#leaves(seen = new Set<RulePlan>()): Iterable<Leaf> {
    if (seen.has(this)) return;
    seen.add(this);
    for (const { nodes } of this.#tiers) {
      for (const node of nodes) {
        const { inner, candidate } = node;
        if (inner !== undefined) yield* inner.#leaves(seen);
        else if (candidate.kind === 'backend') yield { plan: this, node, backend: candidate };
      }
    }
  }

  #isEligible({ candidate, inner }: Node, usable: Veto, seen?: Set<RulePlan>): boolean {
    if (inner !== undefined) return inner.hasEligible(usable, seen ?? new Set());
    if (candidate.kind !== 'backend' || !this.#isOpen(candidate)) return false;
    if (this.#isTooSlow(candidate)) return false;
    return this.#journey.facts.disabledUntil(candidate) === 0 && usable?.(candidate) !== false;
  }

  #isTooSlow(backend: Backend): boolean {
    if (this.#firstContentMsMax === Infinity) return false;
    return (this.#journey.facts.usualFirstContentMs(backend) ?? 0) > this.#firstContentMsMax;
  }

  #foremost(tier: Tier, nodes: readonly Node[], usable: Veto): readonly Node[] {
    const eligible = nodes.filter((node) => this.#isEligible(node, usable));
    return foremost(eligible, tier, this.#rule, this.#journey.facts.usualFirstContentMs);
  }

  /** Those of which `next` would give one. `seen` are plans that have been asked. */
  #firsts(usable: Veto, seen: Set<RulePlan>): readonly Backend[] {
    if (seen.has(this)) return [];
    seen.add(this);
    for (const { tier, nodes } of this.#tiers) {
      const early = nodes.find((node) => this.#isEarly(node, usable));
      const firsts = early === undefined ? this.#foremost(tier, nodes, usable) : [early];
      if (firsts.length > 0) return firsts.flatMap((node) => node.backend ?? node.inner!.#firsts(usable, seen));
    }
    return [];
  }

  /** Spares and what is too slow for the rule wait until they return by themselves. */
  #isEarly({ candidate, weight }: Node, usable: Veto): boolean {
    const { isEarly } = this.#journey.facts;
    if (isEarly === undefined || weight === 0 || candidate.kind !== 'backend' || !this.#isOpen(candidate)) return false;
    return isEarly(candidate) && !this.#isTooSlow(candidate) && usable?.(candidate) !== false;
  }

  #isOpen({ id }: Backend): boolean {
    const { tried, skipped } = this.#journey;
    return !tried.has(id) && !skipped.has(id);
  }

  /** Undefined if another request's trial of the backend is running. */
  #take(node: Node, usable: Veto): Visit | undefined {
    if (node.inner !== undefined) return node.inner.next(usable);
    const { candidate } = node;
    if (candidate.kind !== 'backend') return undefined;
    if (this.#journey.facts.claim(candidate)) return this.#visit(candidate, { disabled: false });
    this.#journey.skipped.add(candidate.id);
    return undefined;
  }

  #visit(backend: Backend, { disabled, early = false }: { disabled: boolean; early?: boolean }): Visit {
    this.#journey.tried.add(backend.id);
    // A backend's own deadlines were compiled with the rule it stands in.
    const [outermost] = this.#enclosing;
    const { timeouts: given } = backend.provider.config;
    const timeouts = outermost ? compileTimeouts(given, outermost.timeouts) : backend.timeouts;
    return { backend, timeouts: early ? shortened(timeouts) : timeouts, disabled, early };
  }

  /** What a rule requires it requires of backends behind references too. */
  #nodes(candidates: readonly Candidate[]): Node[] {
    const enclosing = this.#enclosing;
    const allowed = candidates.filter(
      (candidate) =>
        candidate.kind === 'route' || enclosing.every(({ excludes }) => excludes?.(candidate) === undefined),
    );
    return allowed.map((candidate) =>
      candidate.kind === 'backend' ? toNode(candidate) : toReferenceNode(candidate, this.#enter(candidate)),
    );
  }

  /** The referenced route's first rule that matches; its access is not asked. An empty plan if none matches. */
  #enter({ route }: RouteReference): RulePlan {
    const { context, entered } = this.#journey;
    const enclosing = [...this.#enclosing, this.#rule];
    // The way to a route only matters for what the rules on it require.
    const key = [route.id, ...enclosing.filter(({ excludes }) => excludes !== undefined).map(({ id }) => id)].join(' ');
    const known = entered.get(key);
    if (known !== undefined) return known;
    const rule = route.rules.find((it) => it.matches(context));
    const reachable = rule === undefined || enclosing.length > depthMax ? emptyRule(this.#rule) : rule;
    const plan = new RulePlan(reachable, enclosing, this.#journey);
    entered.set(key, plan);
    return plan;
  }
}

function toNode(candidate: Backend): Node {
  const { id, weight } = candidate;
  return { id, weight, backend: candidate, behind: undefined, candidate, inner: undefined };
}

function toReferenceNode(candidate: RouteReference, inner: RulePlan): Node {
  const { name: id, weight } = candidate;
  return { id, weight, backend: undefined, behind: () => inner.eligible(), candidate, inner };
}

/** A trial that nobody asked for must leave the time to answer by somebody else: three quarters of it. */
function shortened(timeouts: Timeouts): Timeouts {
  const mostMs = timeouts.totalMs / 4;
  const { firstContentMs, responseMs } = timeouts;
  return {
    ...timeouts,
    firstContentMs: Math.min(firstContentMs, mostMs),
    responseMs: Math.min(responseMs, mostMs),
  };
}

function emptyRule(rule: Rule): Rule {
  return { ...rule, tiers: [], fallback: undefined, fallbacks: undefined };
}
