/**
 * Lists and maps with their bounds and their Kubernetes list types. The API server refuses duplicates in `set` and
 * `map` lists by itself, without a CEL rule; the same is checked here.
 */
import { z } from 'zod';

/** How many entries a list may have. */
export interface ListBounds {
  readonly min?: number;
  readonly max: number;
}

/** A list of objects told apart by the named members, so that server-side apply merges entry by entry. */
export function listMap<Item extends z.ZodType>(item: Item, keys: readonly string[], bounds: ListBounds) {
  const identify = (entry: unknown) => keys.map((key) => Reflect.get(Object(entry), key)).join(', ');
  return bounded(item, bounds)
    .refine((entries) => repeated(entries.map(identify)) === undefined, {
      error: ({ input }) => `two entries must not have the same ${keys.join(' and ')}: ${repeatedIn(input, identify)}`,
      params: { serverCheck: 'x-kubernetes-list-type' },
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });
}

/** A list of scalars, each at most once. */
export function listSet<Item extends z.ZodType<string | number>>(item: Item, bounds: ListBounds) {
  return bounded(item, bounds)
    .refine((entries) => repeated(entries.map(String)) === undefined, {
      error: ({ input }) => `two entries must not be the same: ${repeatedIn(input, String)}`,
      params: { serverCheck: 'x-kubernetes-list-type' },
    })
    .meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list that is replaced as a whole. */
export function listAtomic<Item extends z.ZodType>(item: Item, bounds: ListBounds) {
  return bounded(item, bounds).meta({ 'x-kubernetes-list-type': 'atomic' });
}

/** A map from free keys to values; what its keys may look like is said by a rule where it matters. */
export function mapOf<Value extends z.ZodType>(value: Value, max: number) {
  return z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length <= max, {
      error: `must have at most ${max} entries`,
      params: { serverCheck: 'maxProperties' },
    })
    .meta({ maxProperties: max });
}

function bounded<Item extends z.ZodType>(item: Item, { min = 0, max }: ListBounds) {
  const list = z.array(item).max(max);
  return min > 0 ? list.min(min) : list;
}

function repeated(identities: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return identities.find((identity) => seen.size === seen.add(identity).size);
}

function repeatedIn(input: unknown, identify: (entry: unknown) => string): string | undefined {
  return Array.isArray(input) ? repeated(input.map(identify)) : undefined;
}
