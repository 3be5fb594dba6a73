// Optional members: what a resource leaves out stays out of the configuration, instead of standing there as undefined.

/** The members that have a value. A loop, because it runs for every object of every configuration. */
export function defined<T extends object>(members: T): T {
  const result: Partial<T> = {};
  for (const name in members) if (members[name] !== undefined) result[name] = members[name];
  return result as T;
}
