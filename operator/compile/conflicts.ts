// Who owns a path or a public model name where several routes want it: the oldest route, in the whole class.

import type { RouteConfig } from '../../proxy/config/schema.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

interface Claim {
  readonly field: string;
  /** What is claimed, in words. */
  readonly what: string;
  readonly key: string;
  /** Keys of claims that would contain this one. */
  readonly around: readonly string[];
}

/** The claims of routes that came before. */
export interface Claims {
  /** Takes everything that a route claims, or nothing, and says why not. Routes must come oldest first. */
  take(namespace: string, route: Pick<RouteConfig, 'path' | 'models'>): readonly Finding[];
}

/**
 * Equal claims conflict. A claim inside an older one (a longer path, a name that an older prefix covers) is a
 * refinement where both routes are of one namespace; across namespaces it would take requests away from the older
 * route, so it conflicts too.
 */
export function createClaims(): Claims {
  /** Namespaces of the owners. */
  const owners = new Map<string, string>();
  return {
    take(namespace, route) {
      const claims = claimsOf(route);
      const isForeign = (key: string): boolean => (owners.get(key) ?? namespace) !== namespace;
      const lost = claims.filter(({ key, around }) => owners.has(key) || around.some(isForeign));
      if (lost.length === 0) for (const { key } of claims) owners.set(key, namespace);
      // Whose it is stays unsaid: that may be a fact of another namespace.
      return lost.map(({ field, what }) => notAccepted('Conflicted', field, `${what} belongs to an older LLMRoute`));
    },
  };
}

function claimsOf({ path, models }: Pick<RouteConfig, 'path' | 'models'>): readonly Claim[] {
  const claims = models.map(({ name, type }, index): Claim => {
    const exact = type === 'Exact';
    return {
      field: `spec.models[${index}]`,
      what: exact ? `the model "${name}"` : `the model prefix "${name}"`,
      key: exact ? `model ${name}` : prefixKey(name),
      around: beginnings(name, exact ? name.length : name.length - 1).map(prefixKey),
    };
  });
  if (path === undefined) return claims;
  const parents = [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)).filter((parent) => parent !== '');
  return [
    { field: 'spec.path', what: `the path ${path}`, key: pathKey(path), around: parents.map(pathKey) },
    ...claims,
  ];
}

function prefixKey(prefix: string): string {
  return `prefix ${prefix}`;
}

function pathKey(path: string): string {
  return `path ${path}`;
}

function beginnings(name: string, lengthMax: number): string[] {
  return Array.from({ length: lengthMax }, (_, index) => name.slice(0, index + 1));
}
