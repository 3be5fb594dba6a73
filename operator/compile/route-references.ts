// What the backends and fallbacks of a route lead to. Routes are resolved after those that they refer to, so that what
// is left of a route is known before anybody relies on it.

import type { BackendConfig, ProviderConfig, RouteConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import { notAccepted, notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';
import { resolveProvider } from './references.ts';
import type { BackendDraft, RouteDraft, RuleDraft } from './route-drafts.ts';

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

/** The references of one route. */
export interface ResolvedRoute {
  readonly rules: RouteConfig['rules'];
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
export function canServe({ backends, failover }: RuleConfig): boolean {
  return backends.length > 0 || failover.fallbackRoute !== undefined;
}

/** Ids of the routes that a route refers to. */
export function referredRoutes({ rules }: RouteDraft): string[] {
  return rules
    .flatMap(({ backends, config }) => [
      ...backends.map((backend) => backend.config.route),
      config.failover.fallbackRoute,
      ...(config.failover.fallbacks ?? []).map(({ route }) => route),
    ])
    .filter((id) => id !== undefined);
}

class Resolver {
  /** Whether some backend says nothing that is refused; it may still lead nowhere. */
  accepted: boolean;
  readonly #draft: RouteDraft;
  readonly #around: Surroundings;
  readonly #report: Report;
  #depth = 0;
  #candidates = 0;
  #passthrough = false;
  #refusals = 0;

  constructor(draft: RouteDraft, around: Surroundings, report: Report) {
    // A published route that could only refuse goes on refusing.
    this.accepted = draft.rules.every(({ backends }) => backends.length === 0);
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

  rule({ field, config, names, ...draft }: RuleDraft): RuleConfig {
    const backends = draft.backends.filter((backend) => this.#accepts(backend)).map((backend) => backend.config);
    const served = new Set(backends.map(({ name }) => name));
    const leftOut = names.filter((name) => !served.has(name));
    const wanted = config.failover.fallbackRoute;
    const isKnown = wanted === undefined || this.#leadsToRoute(wanted, `${field}.failover.fallbackRouteRef`);
    const fallbacks = this.#fallbacks(config, `${field}.failover.fallbacks`);
    const fallbackRoute = isKnown ? wanted : undefined;
    return { ...config, backends, leftOut, failover: defined({ ...config.failover, fallbackRoute, fallbacks }) };
  }

  #fallbacks({ failover }: RuleConfig, field: string): RuleConfig['failover']['fallbacks'] {
    const leading = failover.fallbacks?.filter(({ route }, index) =>
      this.#leadsToRoute(route, `${field}[${index}].routeRef`),
    );
    return leading?.length === 0 ? undefined : leading;
  }

  #accepts({ field, config }: BackendDraft): boolean {
    const refusals = this.#refusals;
    const leads =
      config.route === undefined
        ? this.#leadsToProvider(config, field)
        : this.#leadsToRoute(config.route, `${field}.routeRef`);
    if (this.#refusals === refusals) this.accepted = true;
    return leads;
  }

  #leadsToProvider({ provider: id = '', model }: BackendConfig, field: string): boolean {
    const { facts, providers } = this.#around;
    const fromNamespace = this.#draft.metadata.namespace;
    const [namespace, name = ''] = id.split('/');
    const reference = { fromKind: 'LLMRoute', fromNamespace, ref: { namespace, name } } as const;
    const provider = resolveProvider(facts, providers, reference, `${field}.providerRef`, this.#report);
    if (provider === undefined) return false;
    const passthrough = provider.credentials.type === 'Passthrough';
    if (passthrough && !this.#mayPassThrough(`${field}.providerRef`)) return false;
    if (!this.#isListed(provider, model, `${field}.model`)) return false;
    if (passthrough) this.#passthrough = true;
    this.#candidates += 1;
    return true;
  }

  #isListed({ models }: ProviderConfig, model: string | undefined, field: string): boolean {
    if (model === undefined || models.length === 0 || models.some(({ name }) => name === model)) return true;
    this.#report(notResolved('ModelNotListed', field, `the provider does not list the model "${model}"`));
    return false;
  }

  #leadsToRoute(id: string, field: string): boolean {
    const name = id.slice(id.indexOf('/') + 1);
    const reach = this.#around.reached.get(id);
    if (this.#around.circle.has(id)) {
      const message = `LLMRoute "${name}" leads back to this route`;
      this.#report(notAccepted('Invalid', field, message));
      return false;
    }
    if (reach === undefined) {
      this.#report(
        notResolved('RouteNotFound', field, `the namespace has no LLMRoute "${name}" that is accepted and can serve`),
      );
      return false;
    }
    if (!this.#isWithinLimits(reach, field) || (reach.passthrough && !this.#mayPassThrough(field))) return false;
    this.#depth = Math.max(this.#depth, reach.depth + 1);
    this.#candidates += reach.candidates;
    if (reach.passthrough) this.#passthrough = true;
    return true;
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
    if (this.#draft.head.access.mode === 'Anonymous') return true;
    const message = 'the credentials of the provider are Passthrough, which needs a route with access mode Anonymous';
    this.#report(notAccepted('Invalid', field, message));
    return false;
  }
}
