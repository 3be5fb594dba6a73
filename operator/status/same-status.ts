// Whether a status says what is stored already, so that nothing need be written.

import { conditionReasons } from '../../crds/conditions.ts';

/**
 * Compares what the API server holds with what was decided. The order of entries does not count: server-side apply
 * merges the lists of a status entry by entry. Nor do conditions of other types, which belong to others.
 */
export function sameStatus(stored: unknown, decided: unknown): boolean {
  return isSame(withOwnConditions(stored), withOwnConditions(decided));
}

function withOwnConditions(status: unknown): object {
  const conditions: unknown = Reflect.get(Object(status), 'conditions');
  return { ...Object(status), conditions: Array.isArray(conditions) ? conditions.filter(isOwn) : conditions };
}

function isOwn(condition: unknown): boolean {
  const type: unknown = Reflect.get(Object(condition), 'type');
  return typeof type === 'string' && Object.hasOwn(conditionReasons, type);
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && holdSame(a, b);
  if (!isObject(a) || !isObject(b)) return false;
  // A member that is undefined is one that is not there.
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSame(Reflect.get(a, name), Reflect.get(b, name)));
}

/** No entry of these lists is there twice, so that as many equal ones are all of them. */
function holdSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((entry, index) => isSame(entry, b[index]) || b.some((other) => isSame(entry, other)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
