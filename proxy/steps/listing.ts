// Model listings: what the presented key may use, or what needs none (api.md, decided 6).

import { ClientError } from '../canonical/client-error.ts';
import type { Principal, Snapshot } from '../config/snapshot.ts';

/** Public model names that a client may use, in alphabetical order. An unknown key is refused where any route needs one. */
export function visibleModels(snapshot: Snapshot, key: string | undefined, principal: Principal | undefined): string[] {
  const routes = [...snapshot.models];
  if (key !== undefined && principal === undefined && [...snapshot.routes.values()].some((route) => !route.anonymous)) {
    throw new ClientError('invalid_api_key');
  }
  return routes
    .filter(
      ([name, route]) =>
        route.anonymous || (principal !== undefined && route.admits(principal) && principal.mayUse(name)),
    )
    .map(([name]) => name)
    .sort();
}
