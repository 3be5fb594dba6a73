/** Evaluates the CEL of rules with a library that knows nothing of Kubernetes. */
import { Environment } from '@marcbachmann/cel-js';

const environment = new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');

/** Compiles a rule once; the function tells whether it holds for a value. Throws on what does not compile. */
export function compileCEL(cel: string): (self: unknown) => boolean {
  const program = environment.parse(cel);
  const { valid, error } = program.check();
  if (!valid) throw new Error(`${cel} does not compile`, { cause: error });
  return (self) => {
    const verdict: unknown = program({ self: toCEL(self) });
    if (typeof verdict !== 'boolean') throw new Error(`${cel} gives ${typeof verdict}`);
    return verdict;
  };
}

/** CEL integers are bigints in this library. */
function toCEL(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCEL);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toCEL(member)]));
}
