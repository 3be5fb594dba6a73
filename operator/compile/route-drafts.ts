// What a route says by itself, before anything else is looked at: bad backends are struck out, with the reason. A bad
// rule fails closed: it keeps its requests and refuses them, because the next rule may send them where they must not go.

import type { LLMRoute } from '../../crds/llm-route.ts';
import { failoverSchema } from '../../crds/route-failover.ts';
import type { BackendConfig, RouteConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { compileAccess } from './access.ts';
import { checkParameters } from './backend-parameters.ts';
import { defined } from './defined.ts';
import { type Finding, type Named, notAccepted } from './diagnostic.ts';
import { type Facts, idOf } from './facts.ts';
import { draftMatches } from './rule-matches.ts';
import type { BackendSpec, RuleSpec } from './route-spec.ts';
import { compileBackend, compileRule, type RuleContext } from './rules.ts';
import { findUnsupported } from './supported.ts';

/** A route on its way to the configuration: all of it but what its references lead to. */
export interface RouteDraft {
  readonly metadata: Named & { readonly creationTimestamp?: string | undefined };
  /** `published`: the object does not parse, and this is the form in which it was published last. */
  readonly source: 'object' | 'published';
  readonly head: Omit<RouteConfig, 'rules'>;
  /** None: the route is not accepted. */
  readonly rules: readonly RuleDraft[];
  readonly findings: readonly Finding[];
}

/** A rule with those of its backends whose own text is in order; none where its own is not. */
export interface RuleDraft {
  /** Path of the rule in the object. */
  readonly field: string;
  /** Its members `backends` and `leftOut` mean nothing yet. */
  readonly config: RuleConfig;
  readonly backends: readonly BackendDraft[];
  /** Names that the rule answers for: of all its backends, as people wrote them, and of rules that are gone. */
  readonly names: readonly string[];
}

/** A backend whose own text is in order. */
export interface BackendDraft {
  readonly field: string;
  readonly config: BackendConfig;
}

/** Strikes out what cannot be right whatever the rest of the world looks like. */
export function draftRoute(route: LLMRoute, facts: Facts): RouteDraft {
  const { metadata, spec } = route;
  const { path, models = [], protocol, limits = [] } = spec;
  const findings: Finding[] = [];
  const rules = new RouteReader(route, facts, findings).read();
  const head = defined<RouteDraft['head']>({
    id: idOf(metadata),
    path,
    models: models.map(({ name, type }) => ({ name, type })),
    protocol,
    access: compileAccess(route, facts),
    limits: [...limits],
  });
  return { metadata, source: 'object', head, rules, findings };
}

const failoverDefaults = failoverSchema.parse({});

class RouteReader {
  readonly #context: RuleContext;
  readonly #rules: readonly RuleSpec[];
  readonly #unsupported: readonly Finding[];
  readonly #findings: Finding[];
  /** What each name of a backend means so far; a name is the identity of state and pins in the whole route. */
  readonly #meanings = new Map<string, string>();

  constructor(route: LLMRoute, { world }: Facts, findings: Finding[]) {
    this.#context = { namespace: route.metadata.namespace, disableSeconds: world.disableSecondsDefault };
    this.#rules = route.spec.rules;
    this.#unsupported = findUnsupported('LLMRoute', route);
    this.#findings = findings;
  }

  read(): readonly RuleDraft[] {
    this.#findings.push(...this.#unsupported);
    const rules = this.#rules.flatMap((spec, index) => this.#rule(spec, index));
    const none = this.#unsupported.length > 0 || rules.every(({ backends }) => backends.length === 0);
    return none ? [] : this.#adoptNames(rules);
  }

  #rule(spec: RuleSpec, index: number): RuleDraft[] {
    const field = `spec.rules[${index}]`;
    const { matches, findings } = draftMatches(spec.matches, field, index === this.#rules.length - 1);
    this.#findings.push(...findings);
    const backends = spec.backends.flatMap((backend, position) => {
      const draft = this.#backend(backend, `${field}.backends[${position}]`);
      return draft === undefined ? [] : [draft];
    });
    if (matches?.length === 0) return [];
    const names = spec.backends.map(({ name }) => name);
    if (findings.length === 0) return [{ field, config: compileRule(spec, this.#context), backends, names }];
    return [{ field, config: compileRule(closeRule(spec.name, matches), this.#context), backends: [], names }];
  }

  #backend(spec: BackendSpec, field: string): BackendDraft | undefined {
    const config = compileBackend(spec, this.#context.namespace);
    const { name, provider, route, model } = config;
    const problems = [...checkParameters(spec.parameters, field)];
    const meaning = JSON.stringify([provider, route, model]);
    const earlier = this.#meanings.get(name);
    if (earlier === undefined) this.#meanings.set(name, meaning);
    else if (earlier !== meaning) {
      const message = `"${name}" already names another provider or model in an earlier rule of this route`;
      problems.unshift(notAccepted('Invalid', `${field}.name`, message));
    }
    this.#findings.push(...problems);
    return problems.length > 0 ? undefined : { field, config };
  }

  /** A name of a rule that is gone altogether must still be known as one: the last rule answers for it. */
  #adoptNames(rules: readonly RuleDraft[]): readonly RuleDraft[] {
    const known = new Set(rules.flatMap(({ names }) => names));
    const all = this.#rules.flatMap(({ backends }) => backends.map(({ name }) => name));
    const orphans = new Set(all).difference(known);
    if (orphans.size === 0) return rules;
    return rules.map((rule, index) =>
      index === rules.length - 1 ? { ...rule, names: [...rule.names, ...orphans] } : rule,
    );
  }
}

/** The rule without anything that could send a request: no backends, no fallback, and no setting of its own. */
function closeRule(name: string, matches: RuleSpec['matches']): RuleSpec {
  return defined<RuleSpec>({ name, matches, backends: [], strategy: 'Random', failover: failoverDefaults });
}
