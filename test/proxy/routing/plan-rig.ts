// Plans over small configurations, with the present in the hands of the test.

import type { Backend, MatchContext, Route, Rule, Snapshot } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { PlanFacts } from '../../../proxy/routing/plan-parts.ts';
import type { RouteConfig } from '../../../proxy/config/schema.ts';
import { configOf, provider } from '../../support/config.ts';

/** What requests look like where nothing depends on it. */
export const plainContext: MatchContext = {
  headers: {},
  path: '/chat',
  model: 'chat',
  stream: false,
  principal: undefined,
};

/** A configuration of routes whose backends all stand for one provider each, of the backend's name. */
export function routesOf(...routes: readonly RouteConfig[]): Snapshot {
  const backends = routes.flatMap((route) => route.rules.flatMap((rule) => rule.backends));
  const ids = new Set(backends.map((backend) => backend.provider).filter((id) => id !== undefined));
  const providers = [...ids].map((id) => provider(id.slice(id.indexOf('/') + 1), 'http://upstream.example/v1'));
  const { config, credentials } = configOf({ providers, routes });
  return compileSnapshot(config, credentials);
}

/** A route of a configuration by its short name. */
export function routeIn(snapshot: Snapshot, name: string): Route {
  const route = snapshot.routes.get(`default/${name}`);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}

/** The first rule of a route. */
export function ruleIn(snapshot: Snapshot, name: string): Rule {
  const [rule] = routeIn(snapshot, name).rules;
  if (rule === undefined) throw new Error(`no rule in ${name}`);
  return rule;
}

/** The present: what is disabled, by the ids of backends without their namespace. */
export class Present implements PlanFacts {
  readonly until = new Map<string, number>();
  readonly hard = new Set<string>();
  /** Backends on trial by somebody else. */
  readonly onTrial = new Set<string>();
  /** Disabled backends that may be tried early. */
  readonly early = new Set<string>();
  /** What was asked for, and what among. */
  readonly claimed: string[] = [];
  readonly picks: { readonly tier: string; readonly among: readonly string[] }[] = [];
  /** Which of the eligible is picked. */
  choose: (count: number) => number = () => 0;

  readonly disabledUntil = (backend: Backend): number => this.until.get(shortId(backend)) ?? 0;
  readonly isHard = (backend: Backend): boolean => this.hard.has(shortId(backend));
  /** Usual times to first content. */
  readonly usualMs = new Map<string, number>();
  readonly usualFirstContentMs = (backend: Backend): number | undefined => this.usualMs.get(shortId(backend));
  readonly claim = (backend: Backend): boolean => {
    this.claimed.push(shortId(backend));
    return !this.onTrial.has(shortId(backend));
  };
  readonly isEarly = (backend: Backend): boolean => this.early.has(shortId(backend));
  readonly pick: PlanFacts['pick'] = (tier, _rule, eligible) => {
    this.picks.push({ tier: tier.id, among: eligible.map(({ id }) => id.slice(id.lastIndexOf('/') + 1)) });
    const picked = eligible[this.choose(eligible.length)];
    if (picked === undefined) throw new Error('picked outside of what is eligible');
    return picked;
  };
}

/** `route/backend`. */
export function shortId({ id }: Backend): string {
  return id.slice(id.indexOf('/') + 1);
}
