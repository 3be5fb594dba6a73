// Values made from good ones by drawing one place anew from its schema, one that was left out perhaps. Unlike values that
// are random throughout, many of these are good, and those that are not break a single rule.

import fc from 'fast-check';
import type { SchemaNode } from '../../../crds/schema-node.ts';
import { nodeArbitrary } from '../../crds/arbitrary.ts';
import { type Path, replaceAt } from './path.ts';

interface Place {
  readonly path: Path;
  readonly node: SchemaNode;
}

/** One of `values` with one place drawn anew; all fit `node`, or would like to. */
export function grafted(node: SchemaNode, values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .constantFrom(...values)
    .chain((value) =>
      fc
        .constantFrom(...placesIn(node, value, []))
        .chain((place) => nodeArbitrary(place.node).map((fresh) => replaceAt(value, place.path, () => fresh))),
    );
}

/** Every place that a value has, or could have without another being added first. */
function placesIn(node: SchemaNode, value: unknown, path: Path): readonly Place[] {
  const below = childrenOf(node, value).flatMap(([step, child]) =>
    placesIn(child, Reflect.get(Object(value), step), [...path, step]),
  );
  return path.length === 0 ? below : [{ path, node }, ...below];
}

function childrenOf(node: SchemaNode, value: unknown): readonly (readonly [string | number, SchemaNode])[] {
  if (typeof value !== 'object' || value === null) return [];
  const { properties, items, additionalProperties } = node;
  // Inside free JSON there is no schema.
  if (Array.isArray(value)) return items === undefined ? [] : value.map((_, index) => [index, items as SchemaNode]);
  if (properties !== undefined) return Object.entries(properties as Readonly<Record<string, SchemaNode>>);
  if (additionalProperties === undefined) return [];
  return Object.keys(value).map((name) => [name, additionalProperties as SchemaNode]);
}
