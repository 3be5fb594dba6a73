// One rule of a route in the form that proxies take: matches, policy, backends, failover.

import type { BackendConfig, MatchConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import { compileFailover } from './failover.ts';
import { toMicroDollars } from './money.ts';
import type { BackendSpec, RuleSpec } from './route-spec.ts';
import { toSelector } from './selector.ts';

/** Where a rule stands, and what it does not say itself. */
export interface RuleContext {
  readonly namespace: string;
  /** `failover.disable.seconds` where the rule does not say. */
  readonly disableSeconds: number;
}

/** A rule without its backends, and with a fallback that is still to be looked up. */
export function compileRule(spec: RuleSpec, { namespace, disableSeconds }: RuleContext): RuleConfig {
  const { name, strategy, affinity, firstAvailable, plugin } = spec;
  const { fallbackRouteRef, fallbacks } = spec.failover;
  const toId = (ref: { readonly name: string }): string => `${namespace}/${ref.name}`;
  const routes = {
    fallbackRoute: fallbackRouteRef && toId(fallbackRouteRef),
    fallbacks: fallbacks?.map((fallback) => ({ class: fallback.class, route: toId(fallback.routeRef) })),
  };
  return defined<RuleConfig>({
    name,
    matches: (spec.matches ?? []).map(compileMatch),
    strategy,
    affinity: affinity && defined({ ...affinity }),
    firstAvailable: firstAvailable && { ...firstAvailable },
    plugin: plugin && { ...plugin },
    require: (spec.require ?? []).map(compileRequirement),
    prefer: (spec.prefer ?? []).map(compileRequirement),
    backends: [],
    leftOut: [],
    failover: compileFailover(spec.failover, disableSeconds, routes),
    timeouts: defined({ ...spec.timeouts }),
  });
}

/** A backend whose provider or route is still to be looked up. */
export function compileBackend(spec: BackendSpec, namespace: string): BackendConfig {
  const { name, providerRef, routeRef, model, weight = 1, priority = 0, parameters } = spec;
  return defined<BackendConfig>({
    name,
    provider: providerRef && `${providerRef.namespace ?? namespace}/${providerRef.name}`,
    route: routeRef && `${namespace}/${routeRef.name}`,
    model,
    weight,
    priority,
    parameters: parameters && { set: { ...parameters.set }, remove: [...(parameters.remove ?? [])] },
  });
}

type MatchSpec = NonNullable<RuleSpec['matches']>[number];

function compileMatch({ headers = [], tenant, keySelector, cel }: MatchSpec): MatchConfig {
  return defined<MatchConfig>({
    headers: headers.map(({ name, type = 'Exact', value }) => defined({ name: name.toLowerCase(), type, value })),
    tenant,
    keySelector: keySelector && toSelector(keySelector),
    cel,
  });
}

type RequirementSpec = NonNullable<RuleSpec['require']>[number];

function compileRequirement(spec: RequirementSpec): RuleConfig['require'][number] {
  const { attribute, maxPrice, maxFirstContentMillis } = spec;
  return defined({
    attribute: attribute && { ...attribute, values: [...(attribute.values ?? [])] },
    maxPrice:
      maxPrice &&
      defined({
        inputPerMillion: maxPrice.inputPerMillion === undefined ? undefined : toMicroDollars(maxPrice.inputPerMillion),
        outputPerMillion:
          maxPrice.outputPerMillion === undefined ? undefined : toMicroDollars(maxPrice.outputPerMillion),
      }),
    maxFirstContentMillis,
  });
}
