// Optional members: what a resource leaves out stays out of the configuration, instead of standing there as undefined.

/** The members that have a value. */
export function defined<T extends object>(members: T): T {
  const result = { ...members };
  for (const [name, member] of Object.entries(members)) if (member === undefined) Reflect.deleteProperty(result, name);
  return result;
}
