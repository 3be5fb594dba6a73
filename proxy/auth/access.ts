// Who may enter a route. Whether a key is known is one question, whether it opens this door another.

import { ClientError } from '../canonical/client-error.ts';
import type { IncomingHeaderMap } from '../config/headers.ts';
import type { RouteConfig } from '../config/schema.ts';
import type { Principal, Route, Snapshot } from '../config/snapshot.ts';
import { readClientKey } from './client-key.ts';

/** Compiles `access` of a route. `selects` tests the labels of SelectedKeys. */
export function compileAccess(
  access: RouteConfig['access'],
  selects: (labels: Readonly<Record<string, string>>) => boolean,
): (principal: Principal | undefined) => boolean {
  if (access.mode === 'Anonymous') return () => true;
  const namespaces = new Set(access.namespaces);
  const everywhere = namespaces.has('*');
  return (principal) =>
    principal !== undefined && (everywhere || namespaces.has(principal.namespace)) && selects(principal.labels);
}

/** The principal behind a request's key; undefined without a key, or with one that is unknown or has expired. */
export function identify(headers: IncomingHeaderMap, snapshot: Snapshot, nowMs: number): Principal | undefined {
  const key = readClientKey(headers);
  if (key === undefined) return undefined;
  const principal = snapshot.principal(key);
  return principal?.expiresAtMs !== undefined && principal.expiresAtMs <= nowMs ? undefined : principal;
}

/**
 * Lets a request into a route. `model` is the public name that it asks for, if it names one. On Anonymous routes a
 * valid key makes a principal, an unknown one is ignored. Throws `invalid_api_key`, `route_not_allowed` or
 * `model_not_allowed`.
 */
export function authorize(principal: Principal | undefined, route: Route, model: string | undefined): void {
  if (route.anonymous) return;
  if (principal === undefined) throw new ClientError('invalid_api_key');
  if (!route.admits(principal)) throw new ClientError('route_not_allowed');
  const granted = model === undefined ? principal.mayUseAll : principal.mayUse(model);
  if (!granted) throw new ClientError('model_not_allowed');
}
