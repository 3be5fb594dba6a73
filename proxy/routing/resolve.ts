// From a path and a model to the route that serves them. The path decides if a route has claimed it; else the model.

import { ClientError } from '../canonical/client-error.ts';
import type { LeftOutPin, Pin, Route, Snapshot } from '../config/snapshot.ts';

/** A route's own path, found in a request. */
export interface PathClaim {
  readonly route: Route;
  /** `/azure/gpt4/…` names one candidate; nothing else may answer, also if it is left out. */
  readonly pin: Pin | LeftOutPin | undefined;
  /** What follows the route's path and the pin, with its leading slash, or ''. */
  readonly rest: string;
}

/** The route that has claimed this path, if any, and what the client wants below it. */
export function claimPath(snapshot: Snapshot, path: string): PathClaim | undefined {
  const found = snapshot.byPath(path);
  if (found === undefined) return undefined;
  const { route, rest } = found;
  const end = rest.indexOf('/', 1);
  const segment = end === -1 ? rest.slice(1) : rest.slice(1, end);
  const pin = route.pins.get(segment);
  if (pin === undefined) return { route, pin, rest };
  return { route, pin, rest: end === -1 ? '' : rest.slice(end) };
}

/** The route of a public model name. Throws `model_required` or `route_not_found`. */
export function routeOfModel(snapshot: Snapshot, model: string | undefined): Route {
  if (model === undefined) throw new ClientError('model_required');
  const route = snapshot.byModel(model);
  if (route === undefined) throw new ClientError('route_not_found');
  return route;
}
