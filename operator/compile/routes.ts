// LLMRoutes: own text, then conflicts, then references, then the configuration. A route that is not accepted is left out;
// so is one that lost a claim, as a whole, because half of what it promises would belong to another. A route whose
// references lead nowhere keeps its claims and refuses its requests: elsewhere they were never meant to go.

import type { ProviderConfig, RouteConfig } from '../../proxy/config/schema.ts';
import { compileAccess } from './access.ts';
import { findComponents } from './components.ts';
import { createClaims } from './conflicts.ts';
import { defined } from './defined.ts';
import { type Diagnostic, type Finding, toDiagnostics } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import { draftRoute, type RouteDraft } from './route-drafts.ts';
import { canServe, type Reach, referredRoutes, type ResolvedRule, resolveReferences } from './route-references.ts';
import { compileRule } from './rules.ts';

/** Routes that have their claims, and what is wrong with the others or with parts of them. */
export interface CompiledRoutes {
  readonly configs: readonly RouteConfig[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles all routes. */
export function compileRoutes(facts: Facts, providers: ReadonlyMap<string, ProviderConfig>): CompiledRoutes {
  const drafts = settleClaims(facts.routes.map(draftRoute));
  const accepted = new Map(drafts.filter(({ rules }) => rules.length > 0).map((draft) => [draft.id, draft]));
  const findings = new Map(drafts.map((draft) => [draft.id, [...draft.findings]]));
  const reached = new Map<string, Reach>();
  const configs = new Map<string, RouteConfig>();
  const graph = new Map([...accepted].map(([id, draft]) => [id, referredRoutes(draft)]));
  for (const component of findComponents(graph)) {
    const circle = new Set(component);
    const resolved = component.flatMap((id) => {
      const draft = accepted.get(id);
      if (draft === undefined) return [];
      const report = (finding: Finding): void => void findings.get(id)?.push(finding);
      return [{ draft, ...resolveReferences(draft, { facts, providers, reached, circle }, report) }];
    });
    for (const { draft, rules, reach } of resolved) {
      if (rules.length === 0) continue;
      if (rules.some(canServe)) reached.set(draft.id, reach);
      configs.set(draft.id, compileRoute(draft, rules, facts));
    }
  }
  const diagnostics = drafts.flatMap(({ id, route }) =>
    toDiagnostics('LLMRoute', route.metadata, reached.has(id) ? 'part' : 'whole', findings.get(id) ?? []),
  );
  return { configs: [...configs.values()], diagnostics };
}

/**
 * Takes the rules of routes that lost a claim. Routes that are not accepted claim nothing; those whose references do
 * not resolve keep their claims, so that a provider that is gone for a minute does not hand its clients to another team.
 */
function settleClaims(drafts: readonly RouteDraft[]): readonly RouteDraft[] {
  const claims = createClaims();
  return drafts.map((draft) => {
    const lost = draft.rules.length === 0 ? [] : claims.take(draft.route);
    return lost.length === 0 ? draft : { ...draft, rules: [], findings: [...draft.findings, ...lost] };
  });
}

function compileRoute({ id, route }: RouteDraft, rules: readonly ResolvedRule[], facts: Facts): RouteConfig {
  const { path, models = [], protocol, limits = [] } = route.spec;
  const disableSeconds = facts.world.disableSecondsDefault;
  return defined<RouteConfig>({
    id,
    path,
    models: models.map(({ name, type }) => ({ name, type })),
    protocol,
    access: compileAccess(route, facts),
    rules: rules.map(({ draft, backends, fallbackRoute }) => {
      const leftOut = draft.names.filter((name) => backends.every((backend) => backend.name !== name));
      return compileRule(draft.spec, { backends, leftOut, fallbackRoute, disableSeconds });
    }),
    limits: [...limits],
  });
}
