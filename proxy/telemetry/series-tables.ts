// Which route and which backend has which series. Follows the configuration, so that ten thousand changes of it leave
// no more behind than the last one names.

import type { GatewayConfig } from '../config/schema.ts';
import type { RequestFamilies } from './request-families.ts';
import { BackendSeries, RouteSeries } from './request-series.ts';

/** The series of every configured route and backend. */
export interface SeriesTables {
  route(id: string | undefined): RouteSeries;
  backend(id: string): BackendSeries;
  setConfig(config: GatewayConfig): void;
}

/** Makes empty tables: until a configuration names something, everything is counted as `other`. */
export function createSeriesTables(families: RequestFamilies): SeriesTables {
  const routes = new Map<string, RouteSeries>();
  const backends = new Map<string, BackendSeries>();
  const noRoute = new RouteSeries(families, 'none');
  // What ends after its route or backend has left the configuration: it must not bring dropped series back.
  const otherRoute = new RouteSeries(families, 'other');
  const otherBackend = new BackendSeries(families, 'other', 'other');
  return {
    route: (id) => (id === undefined ? noRoute : (routes.get(id) ?? otherRoute)),
    backend: (id) => backends.get(id) ?? otherBackend,
    setConfig(config) {
      const named = new Map<string, readonly [route: string, backend: string]>();
      for (const route of config.routes) {
        for (const rule of route.rules) {
          for (const backend of rule.backends) named.set(`${route.id}/${backend.name}`, [route.id, backend.name]);
        }
      }
      const routeIds = new Map(config.routes.map(({ id }) => [id, id]));
      replaceKeys(routes, routeIds, (id) => new RouteSeries(families, id));
      replaceKeys(backends, named, ([route, backend]) => new BackendSeries(families, route, backend));
    },
  };
}

/** Drops what is not wanted any more, makes what is new, and leaves alone what stays. */
function replaceKeys<Series extends { drop(): void }, Facts>(
  table: Map<string, Series>,
  wanted: ReadonlyMap<string, Facts>,
  make: (facts: Facts) => Series,
): void {
  for (const [id, series] of table) {
    if (wanted.has(id)) continue;
    series.drop();
    table.delete(id);
  }
  for (const [id, facts] of wanted) {
    if (!table.has(id)) table.set(id, make(facts));
  }
}
