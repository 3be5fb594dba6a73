// What proxies have disabled, found by what it belongs to. Made once per round of answers, not once per object.

import type { DisabledTarget, ProxyReport } from '../status/proxy-report.ts';

/** Disabled targets of all proxies together. */
export interface DisabledTargets {
  /** Backends of a route, by name. */
  backendsOf(routeId: string): ReadonlyMap<string, DisabledTarget>;
  key(id: string): DisabledTarget | undefined;
}

const none: ReadonlyMap<string, DisabledTarget> = new Map();

/** Puts together what each proxy says: without shared state each knows only what it has seen. */
export function mergeDisabled(reports: readonly ProxyReport[]): DisabledTargets {
  const backends = new Map<string, Map<string, DisabledTarget>>();
  const keys = new Map<string, DisabledTarget>();
  for (const target of reports.flatMap(({ disabled }) => disabled)) {
    if (target.kind === 'key') {
      keys.set(target.id, stronger(keys.get(target.id), target));
      continue;
    }
    const slash = target.id.lastIndexOf('/');
    const [route, name] = [target.id.slice(0, slash), target.id.slice(slash + 1)];
    const ofRoute = backends.get(route) ?? new Map<string, DisabledTarget>();
    backends.set(route, ofRoute.set(name, stronger(ofRoute.get(name), target)));
  }
  return { backendsOf: (routeId) => backends.get(routeId) ?? none, key: (id) => keys.get(id) };
}

/** Hard before soft, then the one that lasts longest; what only a person ends lasts longest of all. */
function stronger(one: DisabledTarget | undefined, other: DisabledTarget): DisabledTarget {
  if (one === undefined) return other;
  if (one.hard !== other.hard) return one.hard ? one : other;
  if (one.until === undefined || other.until === undefined) return one.until === undefined ? one : other;
  return one.until >= other.until ? one : other;
}

/** The same for lists that stay the same for a while. */
export function createDisabledView(reports: () => readonly ProxyReport[]): () => DisabledTargets {
  let of: readonly ProxyReport[] | undefined;
  let merged = mergeDisabled([]);
  return () => {
    const present = reports();
    if (present !== of) merged = mergeDisabled(present);
    of = present;
    return merged;
  };
}
