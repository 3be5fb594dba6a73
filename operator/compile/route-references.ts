// What the backends and fallbacks of a route lead to. Routes are resolved after those that they refer to, so that what
// is left of a route is known before anybody relies on it.

import type { BackendConfig, ProviderConfig } from '../../proxy/config/schema.ts';
import { notAccepted, notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import { resolveProvider } from './references.ts';
import type { BackendDraft, RouteDraft, RuleDraft } from './route-drafts.ts';
import { compileBackend } from './rules.ts';

/** Plans of proxies follow references this deep and no deeper. */
const depthMax = 16;

/** Every request walks the candidates of its rule; twice what one route can have without references is plenty. */
const candidatesMax = 1024;

/** What others need to know of a route that serves. */
export interface Reach {
  /** References from here to the furthest route. */
  readonly depth: number;
  /** Candidates of all its rules, those of referenced routes included. */
  readonly candidates: number;
  /** Whether some backend is shown the credential of the client. */
  readonly passthrough: boolean;
}

/** What a route may refer to. */
export interface Surroundings {
  readonly facts: Facts;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  /** Routes that are already resolved and serve, by id. */
  readonly reached: ReadonlyMap<string, Reach>;
  /** Ids of routes that refer back to this one, and its own. */
  readonly circle: ReadonlySet<string>;
}

/** A rule with what its references turned out to be; without backends it refuses its requests. */
export interface ResolvedRule {
  readonly draft: RuleDraft;
  readonly backends: readonly BackendConfig[];
  readonly fallbackRoute: string | undefined;
}

/** The references of one route. */
export interface ResolvedRoute {
  readonly rules: readonly ResolvedRule[];
  readonly reach: Reach;
}

/**
 * Resolves the references of a route; what does not resolve is struck out with a report. A rule stays without backends,
 * so that its requests do not come to the next one, and a route of nothing but such rules stays, so that they do not
 * come to another route. Without a backend that is at least accepted there are no rules.
 */
export function resolveReferences(draft: RouteDraft, around: Surroundings, report: Report): ResolvedRoute {
  const resolver = new Resolver(draft, around, report);
  const rules = draft.rules.map((rule) => resolver.rule(rule));
  return { rules: resolver.accepted ? rules : [], reach: resolver.reach() };
}

/** Whether a rule leads anywhere. */
export function canServe({ backends, fallbackRoute }: ResolvedRule): boolean {
  return backends.length > 0 || fallbackRoute !== undefined;
}

/** Ids of the routes that a route refers to. */
export function referredRoutes({ rules, route }: RouteDraft): string[] {
  const names = rules.flatMap(({ backends, spec }) => [
    ...backends.map((backend) => backend.spec.routeRef?.name),
    spec.failover.fallbackRouteRef?.name,
  ]);
  return names.filter((name) => name !== undefined).map((name) => `${route.metadata.namespace}/${name}`);
}

class Resolver {
  /** Whether some backend says nothing that is refused; it may still lead nowhere. */
  accepted = false;
  readonly #draft: RouteDraft;
  readonly #around: Surroundings;
  readonly #report: Report;
  #depth = 0;
  #candidates = 0;
  #passthrough = false;
  #refusals = 0;

  constructor(draft: RouteDraft, around: Surroundings, report: Report) {
    this.#draft = draft;
    this.#around = around;
    this.#report = (finding) => {
      if (finding.condition === 'Accepted') this.#refusals += 1;
      report(finding);
    };
  }

  reach(): Reach {
    return { depth: this.#depth, candidates: this.#candidates, passthrough: this.#passthrough };
  }

  rule(draft: RuleDraft): ResolvedRule {
    const backends = draft.backends.map((backend) => this.#accept(backend)).filter((it) => it !== undefined);
    const { fallbackRouteRef } = draft.spec.failover;
    const field = `${draft.field}.failover.fallbackRouteRef`;
    const fallbackRoute = fallbackRouteRef && this.#route(fallbackRouteRef.name, field);
    return { draft, backends, fallbackRoute };
  }

  #accept(backend: BackendDraft): BackendConfig | undefined {
    const refusals = this.#refusals;
    const config = this.#backend(backend);
    if (this.#refusals === refusals) this.accepted = true;
    return config;
  }

  #backend({ spec, field }: BackendDraft): BackendConfig | undefined {
    if (spec.routeRef !== undefined) {
      const route = this.#route(spec.routeRef.name, `${field}.routeRef`);
      return route === undefined ? undefined : compileBackend(spec, { route });
    }
    if (spec.providerRef === undefined) return undefined;
    const provider = this.#provider(spec.providerRef, `${field}.providerRef`);
    if (provider === undefined || !this.#isListed(provider, spec.model, `${field}.model`)) return undefined;
    if (provider.credentials.type === 'Passthrough') this.#passthrough = true;
    this.#candidates += 1;
    return compileBackend(spec, { provider: provider.id });
  }

  #provider(ref: NonNullable<BackendDraft['spec']['providerRef']>, field: string): ProviderConfig | undefined {
    const { facts, providers } = this.#around;
    const fromNamespace = this.#draft.route.metadata.namespace;
    const reference = { fromKind: 'LLMRoute', fromNamespace, ref } as const;
    const provider = resolveProvider(facts, providers, reference, field, this.#report);
    if (provider?.credentials.type === 'Passthrough' && !this.#mayPassThrough(field)) return undefined;
    return provider;
  }

  #isListed({ models }: ProviderConfig, model: string | undefined, field: string): boolean {
    if (model === undefined || models.length === 0 || models.some(({ name }) => name === model)) return true;
    this.#report(notResolved('ModelNotListed', field, `the provider does not list the model "${model}"`));
    return false;
  }

  #route(name: string, field: string): string | undefined {
    const id = `${this.#draft.route.metadata.namespace}/${name}`;
    const reach = this.#around.reached.get(id);
    if (this.#around.circle.has(id)) {
      const message = `LLMRoute "${name}" leads back to this route`;
      this.#report(notAccepted('Invalid', field, message));
      return undefined;
    }
    if (reach === undefined) {
      this.#report(
        notResolved('RouteNotFound', field, `the namespace has no LLMRoute "${name}" that is accepted and can serve`),
      );
      return undefined;
    }
    if (!this.#isWithinLimits(reach, field) || (reach.passthrough && !this.#mayPassThrough(field))) return undefined;
    this.#depth = Math.max(this.#depth, reach.depth + 1);
    this.#candidates += reach.candidates;
    if (reach.passthrough) this.#passthrough = true;
    return id;
  }

  #isWithinLimits({ depth, candidates }: Reach, field: string): boolean {
    const tooDeep = depth >= depthMax;
    if (!tooDeep && this.#candidates + candidates <= candidatesMax) return true;
    const message = tooDeep
      ? `routes must not refer to each other over more than ${depthMax} steps`
      : `a route must not have more than ${candidatesMax} backends, those of the routes it refers to included`;
    this.#report(notAccepted('Invalid', field, message));
    return false;
  }

  /** Elsewhere the client's credential is a client key of this installation, which no provider must ever see. */
  #mayPassThrough(field: string): boolean {
    if (this.#draft.route.spec.access.mode === 'Anonymous') return true;
    const message = 'the credentials of the provider are Passthrough, which needs a route with access mode Anonymous';
    this.#report(notAccepted('Invalid', field, message));
    return false;
  }
}
