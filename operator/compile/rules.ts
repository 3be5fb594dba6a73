// One rule of a route in the form that proxies take: matches, policy, backends, failover.

import type { BackendConfig, MatchConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import { compileFailover } from './failover.ts';
import { toMicroDollars } from './money.ts';
import type { BackendSpec, RuleSpec } from './route-drafts.ts';
import { toSelector } from './selector.ts';

/** What the references of a rule turned out to be. */
export interface RuleTargets {
  readonly backends: readonly BackendConfig[];
  /** Names of backends that are not among them. */
  readonly leftOut: readonly string[];
  readonly fallbackRoute: string | undefined;
  /** `failover.disable.seconds` where the rule does not say. */
  readonly disableSeconds: number;
}

/** A rule with its references resolved. */
export function compileRule(spec: RuleSpec, targets: RuleTargets): RuleConfig {
  const { backends, leftOut, fallbackRoute, disableSeconds } = targets;
  const { name, strategy, affinity, firstAvailable, plugin } = spec;
  return defined<RuleConfig>({
    name,
    matches: (spec.matches ?? []).map(compileMatch),
    strategy,
    affinity: affinity && defined({ ...affinity }),
    firstAvailable: firstAvailable && { ...firstAvailable },
    plugin: plugin && { ...plugin },
    require: (spec.require ?? []).map(compileRequirement),
    prefer: (spec.prefer ?? []).map(compileRequirement),
    backends: [...backends],
    leftOut: [...leftOut],
    failover: compileFailover(spec.failover, disableSeconds, fallbackRoute),
    timeouts: defined({ ...spec.timeouts }),
  });
}

/** A backend whose reference is resolved to the id of a provider or of a route. */
export function compileBackend(
  spec: BackendSpec,
  target: { readonly provider: string } | { readonly route: string },
): BackendConfig {
  const { name, model, weight = 1, priority = 0, parameters } = spec;
  return defined<BackendConfig>({
    name,
    ...target,
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
