// Compiles the rules of one route: candidates by name, tiers by priority, policy applied where configuration decides it.

import { compilePreference, longestFirstContentMs } from '../policy/preference.ts';
import { explainExclusion } from '../policy/requirement.ts';
import type { UpstreamCodecs } from '../protocols/upstream-codecs.ts';
import { compileMatches } from '../routing/match.ts';
import { backendTarget } from '../routing/target.ts';
import type { BackendConfig, FailoverConfig, RouteConfig, RuleConfig } from './schema.ts';
import type { Backend, Candidate, LeftOutPin, Pin, Provider, Route, RouteReference, Rule, Tier } from './snapshot.ts';
import { compileLanes } from './lane-compile.ts';
import { compileAnywhere, compileServing } from './serving-compile.ts';
import { compileTimeouts } from './timeouts.ts';

type LookUp = (id: string) => Route;

/** What rules name, and what there is code for. */
export interface RuleGround {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly codecs: UpstreamCodecs;
  readonly lookUp: LookUp;
}

/** The rules of a route, and the candidates that its clients can name. Throws an Error that says what is wrong. */
export function compileRules(route: RouteConfig, ground: RuleGround): Pick<Route, 'rules' | 'pins'> {
  const pins = new Map<string, Pin | LeftOutPin>();
  const rules = route.rules.map((config) => {
    const candidates = config.backends.map((backend) => compileCandidate(route, config, backend, ground));
    const rule = compileRule(route, config, candidates, ground.lookUp);
    for (const pin of pinsOf(rule, candidates, config)) if (!pins.has(pin.name)) pins.set(pin.name, pin);
    return rule;
  });
  return { rules, pins };
}

function pinsOf(rule: Rule, candidates: readonly Candidate[], config: RuleConfig): readonly (Pin | LeftOutPin)[] {
  const isExcluded = (candidate: Candidate): boolean => rule.excluded.some((other) => other.candidate === candidate);
  return [
    ...candidates.map((candidate): Pin => {
      return { kind: 'candidate', name: candidate.name, rule, candidate, excluded: isExcluded(candidate) };
    }),
    ...config.leftOut.map((name): LeftOutPin => ({ kind: 'left-out', name, rule })),
  ];
}

function compileRule(route: RouteConfig, config: RuleConfig, candidates: readonly Candidate[], lookUp: LookUp): Rule {
  const id = `${route.id}/${config.name}`;
  const excluded: { candidate: Candidate; reason: string }[] = [];
  const excludes =
    config.require.length === 0 ? undefined : (backend: Backend) => explainExclusion(config.require, backend);
  const allowed = candidates.filter((candidate) => {
    const reason = candidate.kind === 'backend' ? excludes?.(candidate) : undefined;
    if (reason !== undefined) excluded.push({ candidate, reason });
    return reason === undefined;
  });
  const { fallbackRoute, fallbacks } = config.failover;
  const { strategy } = config;
  const rule: Rule = {
    id,
    name: config.name,
    matches: compileMatches(config.matches),
    strategy,
    affinity: config.affinity,
    plugin: compilePlugin(config, strategy),
    slotWaitMs:
      strategy === 'FirstAvailable' ? (config.firstAvailable?.waitSeconds ?? slotWaitSeconds) * 1000 : undefined,
    tiers: toTiers(id, allowed),
    excludes,
    firstContentMsMax: longestFirstContentMs(config.require),
    preference: compilePreference(config.prefer),
    excluded,
    failover: config.failover,
    timeouts: config.timeouts,
    fallbacks: fallbacks && compileFallbacks(fallbacks, lookUp),
    declaresModels: compileAnywhere(() => rule, declaresModels),
    usesSlots: compileAnywhere(() => rule, hasSlots),
    fallback: fallbackRoute === undefined ? undefined : refer(fallbackRoute, fallbackRoute, 1, 0, lookUp),
    totalMs: longestTotalMs(allowed, config),
    serving: compileServing(() => rule),
  };
  return rule;
}

function hasSlots({ slotWaitMs }: Rule): boolean {
  return slotWaitMs !== undefined;
}

function declaresModels({ tiers }: Rule): boolean {
  return tiers.some(({ candidates }) =>
    candidates.some(
      (it) =>
        it.kind === 'backend' &&
        (it.modelConfig?.capabilities !== undefined || it.modelConfig?.maxContextTokens !== undefined),
    ),
  );
}

/**
 * Apart from the rule: closures made in one call share what any of them holds. Those of a rule may outlive its
 * configuration, and `lookUp` holds all of its routes.
 */
function compileFallbacks(fallbacks: NonNullable<FailoverConfig['fallbacks']>, lookUp: LookUp): Rule['fallbacks'] {
  return new Map(fallbacks.map((each) => [each.class, refer(each.route, each.route, 1, 0, lookUp)]));
}

function compilePlugin({ name, plugin }: RuleConfig, strategy: Rule['strategy']): Rule['plugin'] {
  if (strategy !== 'Plugin') return undefined;
  if (plugin === undefined) throw new Error(`rule ${name}: names no module of a plugin`);
  return { module: plugin.module, timeoutMs: plugin.timeoutMillis };
}

/** Where a rule with the strategy FirstAvailable does not say: the default of the API. */
const slotWaitSeconds = 60;

/** Where neither the rule nor a backend of its own says: ten minutes, the default of the providers. */
const defaultTotalMs = 600_000;

function longestTotalMs(candidates: readonly Candidate[], { timeouts }: RuleConfig): number {
  if (timeouts.totalSeconds !== undefined) return timeouts.totalSeconds * 1000;
  const totals = candidates.map((candidate) => (candidate.kind === 'backend' ? candidate.timeouts.totalMs : 0));
  return Math.max(...totals, 0) || defaultTotalMs;
}

function toTiers(ruleId: string, candidates: readonly Candidate[]): Tier[] {
  const priorities = [...new Set(candidates.map((candidate) => candidate.priority))].sort((a, b) => a - b);
  return priorities.map((priority) => {
    const members = candidates.filter((candidate) => candidate.priority === priority);
    const spares = members.filter(({ weight }) => weight === 0).length;
    return {
      id: `${ruleId}/${priority}`,
      priority,
      candidates: members,
      hasSpares: spares > 0 && spares < members.length,
    };
  });
}

function compileCandidate(
  route: RouteConfig,
  rule: RuleConfig,
  config: BackendConfig,
  { providers, codecs, lookUp }: RuleGround,
): Candidate {
  if (config.route !== undefined) return refer(config.name, config.route, config.weight, config.priority, lookUp);
  const provider = config.provider === undefined ? undefined : providers.get(config.provider);
  if (provider === undefined) throw new Error(`backend ${config.name}: provider ${config.provider} does not exist`);
  const modelConfig = provider.config.models.find((model) => model.name === config.model);
  const upstreamModel = modelConfig?.upstreamName ?? config.model;
  const id = `${route.id}/${config.name}`;
  return {
    kind: 'backend',
    id,
    name: config.name,
    route: route.id,
    target: backendTarget(id),
    provider,
    model: config.model,
    upstreamModel,
    modelConfig,
    weight: config.weight,
    priority: config.priority,
    timeouts: compileTimeouts(provider.config.timeouts, rule.timeouts),
    edits: compileEdits(config, upstreamModel),
    parameterEdits: config.parameters === undefined ? undefined : compileEdits(config, undefined),
    lanes: compileLanes(provider.kind, upstreamModel, codecs, modelConfig),
  } satisfies Backend;
}

function compileEdits({ parameters }: BackendConfig, upstreamModel: string | undefined): Backend['edits'] {
  const set = new Map(Object.entries(parameters?.set ?? {}).map(([name, value]) => [name, JSON.stringify(value)]));
  if (upstreamModel !== undefined) set.set('model', JSON.stringify(upstreamModel));
  return { set, remove: new Set(parameters?.remove) };
}

function refer(name: string, id: string, weight: number, priority: number, lookUp: LookUp): RouteReference {
  return {
    kind: 'route',
    name,
    weight,
    priority,
    get route() {
      return lookUp(id);
    },
  };
}
