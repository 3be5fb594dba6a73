// LLMRoutes: own text, then conflicts, then references, then the configuration. A route that is not accepted is left out;
// so is one that lost a claim, as a whole, because half of what it promises would belong to another. A route whose
// references lead nowhere keeps its claims and refuses its requests: elsewhere they were never meant to go.

import type { ProviderConfig, RouteConfig } from '../../proxy/config/schema.ts';
import { findComponents } from './components.ts';
import { createClaims } from './conflicts.ts';
import { type Diagnostic, type Finding, toDiagnostics } from './diagnostic.ts';
import { type Facts, oldestFirst } from './facts.ts';
import { keepRoutes, ofPreviousForm } from './last-good.ts';
import { draftRoute, type RouteDraft } from './route-drafts.ts';
import { canServe, type Reach, referredRoutes, resolveReferences } from './route-references.ts';

/** Routes that have their claims, and what is wrong with the others or with parts of them. */
export interface CompiledRoutes {
  readonly configs: ReadonlyMap<string, RouteConfig>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles all routes. */
export function compileRoutes(facts: Facts, providers: ReadonlyMap<string, ProviderConfig>): CompiledRoutes {
  const own = facts.routes.map((route) => draftRoute(route, facts));
  const drafts = settleClaims(oldestFirst([...own, ...keepRoutes(facts)]));
  const accepted = new Map(drafts.filter(({ rules }) => rules.length > 0).map((draft) => [draft.head.id, draft]));
  const findings = new Map(drafts.map((draft) => [draft.head.id, [...draft.findings]]));
  const reached = new Map<string, Reach>();
  const configs = new Map<string, RouteConfig>();
  const graph = new Map([...accepted].map(([id, draft]) => [id, referredRoutes(draft)]));
  for (const component of findComponents(graph)) {
    const circle = new Set(component);
    const resolved = component.flatMap((id) => {
      const draft = accepted.get(id);
      if (draft === undefined) return [];
      const report = (finding: Finding): void => void findings.get(id)?.push(finding);
      return [{ head: draft.head, ...resolveReferences(draft, { facts, providers, reached, circle }, report) }];
    });
    for (const { head, rules, reach } of resolved) {
      if (rules.length === 0) continue;
      if (rules.some(canServe)) reached.set(head.id, reach);
      const { limits, ...rest } = head;
      configs.set(head.id, { ...rest, rules, limits });
    }
  }
  const diagnostics = drafts.flatMap(({ head: { id }, metadata, source }) => {
    const found = findings.get(id) ?? [];
    const said = source === 'published' ? found.map(ofPreviousForm) : found;
    return toDiagnostics('LLMRoute', metadata, reached.has(id) ? 'part' : 'whole', said);
  });
  return { configs, diagnostics };
}

/**
 * Takes the rules of routes that lost a claim. Routes that are not accepted claim nothing; those whose references do
 * not resolve keep their claims, so that a provider that is gone for a minute does not hand its clients to another team.
 */
function settleClaims(drafts: readonly RouteDraft[]): readonly RouteDraft[] {
  const claims = createClaims();
  return drafts.map((draft) => {
    const lost = draft.rules.length === 0 ? [] : claims.take(draft.metadata.namespace, draft.head);
    return lost.length === 0 ? draft : { ...draft, rules: [], findings: [...draft.findings, ...lost] };
  });
}
