// Finds the route of a path. Paths are compared as they came: nothing is decoded, merged or cleaned up, so that what is
// checked is what is served.

import type { AdminRoute } from './routes.ts';

/** A route and what its path's parameters stand for. */
export interface FoundRoute {
  readonly route: AdminRoute;
  readonly parameters: Readonly<Record<string, string>>;
}

/** All routes, by path and method. */
export interface RouteTable {
  find(method: string, path: string): FoundRoute | undefined;
  /** Methods that a path supports; none if there is no such path. */
  methodsOf(path: string): readonly string[];
}

/** Names of Kubernetes objects and of backends: anything else names nothing. */
const parameterPattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$/;

/** Makes the table. */
export function createRouteTable(routes: readonly AdminRoute[]): RouteTable {
  const entries = routes.map((route) => ({ route, segments: route.path.split('/') }));
  const matching = (path: string): readonly FoundRoute[] => {
    const given = path.split('/');
    return entries.flatMap(({ route, segments }) => {
      const parameters = matchSegments(segments, given);
      return parameters === undefined ? [] : [{ route, parameters }];
    });
  };
  return {
    find: (method, path) => matching(path).find(({ route }) => route.method === method),
    methodsOf: (path) =>
      matching(path).flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])),
  };
}

function matchSegments(
  segments: readonly string[],
  given: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (segments.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = given[index] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== value) return undefined;
      continue;
    }
    if (!parameterPattern.test(value)) return undefined;
    parameters[segment.slice(1)] = value;
  }
  return parameters;
}
