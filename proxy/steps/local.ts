// What needs no backend: names of models, as the presented key may use them or as they need none (api.md, decided 6), and
// versions.

import { readClientKey } from '../auth/client-key.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Backend, Candidate, Principal, Route, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import type { ListedModel } from '../protocols/protocol.ts';
import type { LocalWish } from './decode.ts';

/** Answers a request here. Throws ClientError. */
export function replyLocally(exchange: Exchange, wish: LocalWish, principal: Principal | undefined): void {
  const { local, id, snapshot, claimedBy } = wish;
  const { contentType, requestIdHeader, body } = local.answer({
    query: new URLSearchParams(exchange.query),
    body: exchange.body,
    id,
    models() {
      const hasKey = readClientKey(exchange.headers) !== undefined;
      const visible =
        claimedBy === undefined ? visibleModels(snapshot, hasKey, principal) : modelsOf(claimedBy, principal);
      const createdAt = Math.floor(snapshot.revision / 1000);
      return [...visible].map(([name, route]) => describe(name, route, createdAt)).sort(byId);
    },
  });
  const headers = { 'content-type': contentType, 'x-request-id': exchange.id };
  exchange.reply(200, requestIdHeader === undefined ? headers : { ...headers, [requestIdHeader]: exchange.id }, body);
}

function byId(a: ListedModel, b: ListedModel): number {
  return a.id < b.id ? -1 : 1;
}

type NamedRoute = readonly [name: string, route: Route];

/** Public model names that a client may use. An unknown key is refused where any route needs one. */
function visibleModels(snapshot: Snapshot, hasKey: boolean, principal: Principal | undefined): readonly NamedRoute[] {
  if (hasKey && principal === undefined && [...snapshot.routes.values()].some((route) => !route.anonymous)) {
    throw new ClientError('invalid_api_key');
  }
  return [...snapshot.models].filter(
    ([name, route]) => route.anonymous || (principal && route.admits(principal) && principal.mayUse(name)),
  );
}

/** What a client may name below a route's own path: its public names, else the names that its backends have. */
function modelsOf(route: Route, principal: Principal | undefined): readonly NamedRoute[] {
  if (!route.anonymous) {
    if (principal === undefined) throw new ClientError('invalid_api_key');
    if (!route.admits(principal)) throw new ClientError('route_not_allowed');
  }
  const exact = route.config.models.filter(({ type }) => type === 'Exact').map(({ name }) => name);
  const names = exact.length > 0 ? exact : backendsOf(route).flatMap(({ model }) => model ?? []);
  return [...new Set(names)]
    .filter((name) => route.anonymous || principal?.mayUse(name) === true)
    .map((name) => [name, route]);
}

/** What is said of a model is what the configuration says of the backend that comes first. */
function describe(id: string, route: Route, createdAt: number): ListedModel {
  const backends = backendsOf(route);
  const backend = backends.find(({ model }) => model === id) ?? backends[0];
  const config = backend?.modelConfig ?? backend?.provider.config.models.find(({ name }) => name === id);
  return { id, createdAt, maxContextTokens: config?.maxContextTokens, capabilities: config?.capabilities };
}

function backendsOf(route: Route): readonly Backend[] {
  const candidates = route.rules.flatMap(({ tiers }) => tiers.flatMap((tier): readonly Candidate[] => tier.candidates));
  return candidates.filter((candidate) => candidate.kind === 'backend');
}
