// What a route says by itself, before anything else is looked at: bad backends are struck out, with the reason. A bad
// rule fails closed: it keeps its requests and refuses them, because the next rule may send them where they must not go.

import type { LLMRoute } from '../../crds/llm-route.ts';
import { failoverSchema } from '../../crds/route-failover.ts';
import { checkParameters } from './backend-parameters.ts';
import { defined } from './defined.ts';
import { type Finding, notAccepted } from './diagnostic.ts';
import { idOf } from './facts.ts';
import { draftMatches } from './rule-matches.ts';
import { findUnsupported } from './supported.ts';

/** A rule of a route, as people write it. */
export type RuleSpec = LLMRoute['spec']['rules'][number];
/** A backend of a rule, as people write it. */
export type BackendSpec = RuleSpec['backends'][number];

/** A rule with those of its backends whose own text is in order; none where its own is not. */
export interface RuleDraft {
  /** Path of the rule in the object. */
  readonly field: string;
  readonly spec: RuleSpec;
  readonly backends: readonly BackendDraft[];
  /** Names that the rule answers for: of all its backends, as people wrote them, and of rules that are gone. */
  readonly names: readonly string[];
}

/** A backend whose own text is in order. */
export interface BackendDraft {
  readonly field: string;
  readonly spec: BackendSpec;
}

/** A route on its way to the configuration. Without rules it is not accepted. */
export interface RouteDraft {
  readonly id: string;
  readonly route: LLMRoute;
  readonly rules: readonly RuleDraft[];
  readonly findings: readonly Finding[];
}

/** Strikes out what cannot be right whatever the rest of the world looks like. */
export function draftRoute(route: LLMRoute): RouteDraft {
  const findings: Finding[] = [];
  const places = findUnsupported('LLMRoute', route);
  findings.push(...places.map(({ finding }) => finding));
  const whole = places.some(({ rule }) => rule === undefined);
  const meanings = new Map<string, string>();
  const rules = route.spec.rules.flatMap((spec, index): RuleDraft[] => {
    const field = `spec.rules[${index}]`;
    const { matches, findings: problems } = draftMatches(spec.matches, field, index === route.spec.rules.length - 1);
    findings.push(...problems);
    const bad = problems.length > 0 || places.some(({ rule, backend }) => rule === index && backend === undefined);
    const unsupported = new Set(places.filter(({ rule }) => rule === index).map(({ backend }) => backend));
    const backends = spec.backends.flatMap((backend, position): BackendDraft[] => {
      const place = `${field}.backends[${position}]`;
      const reasons = checkBackend(backend, route.metadata.namespace, place, meanings);
      findings.push(...reasons);
      return reasons.length > 0 || unsupported.has(position) ? [] : [{ field: place, spec: backend }];
    });
    if (matches?.length === 0) return [];
    const names = spec.backends.map(({ name }) => name);
    const closed = { field, spec: closeRule(spec.name, matches), backends: [], names };
    return [bad ? closed : { field, spec, backends, names }];
  });
  const serves = !whole && rules.some(({ backends }) => backends.length > 0);
  return { id: idOf(route.metadata), route, rules: serves ? adoptNames(rules, route) : [], findings };
}

/** A name of a rule that is gone altogether must still be known as one: the last rule answers for it. */
function adoptNames(rules: readonly RuleDraft[], { spec }: LLMRoute): readonly RuleDraft[] {
  const known = new Set(rules.flatMap(({ names }) => names));
  const orphans = new Set(spec.rules.flatMap(({ backends }) => backends.map(({ name }) => name))).difference(known);
  return rules.map((rule, index) =>
    index === rules.length - 1 ? { ...rule, names: [...rule.names, ...orphans] } : rule,
  );
}

const failoverDefaults = failoverSchema.parse({});

/** The rule without anything that could send a request: no backends, no fallback, and no setting of its own. */
function closeRule(name: string, matches: RuleSpec['matches']): RuleSpec {
  return defined<RuleSpec>({ name, matches, backends: [], strategy: 'Random', failover: failoverDefaults });
}

/** `meanings`: what each name of a backend means so far; a name is the identity of state and pins in the whole route. */
function checkBackend(
  backend: BackendSpec,
  namespace: string,
  field: string,
  meanings: Map<string, string>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const meaning = describeTarget(backend, namespace);
  const earlier = meanings.get(backend.name);
  if (earlier === undefined) meanings.set(backend.name, meaning);
  else if (earlier !== meaning) {
    const message = `"${backend.name}" already names another provider or model in an earlier rule of this route`;
    findings.push(notAccepted('Invalid', `${field}.name`, message));
  }
  findings.push(...checkParameters(backend.parameters, field));
  return findings;
}

function describeTarget({ providerRef, routeRef, model }: BackendSpec, namespace: string): string {
  return JSON.stringify([providerRef?.namespace ?? namespace, providerRef?.name, routeRef?.name, model]);
}
