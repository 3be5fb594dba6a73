/** Objects made at random from a structural schema: each field alone is valid, what fields have to do with each other is left to chance. */
import fc from 'fast-check';
import type { SchemaNode } from '../../crds/schema-node.ts';

/** Values that fit a node of a structural schema. */
export function nodeArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  if (node['x-kubernetes-preserve-unknown-fields'] === true)
    return fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null);
  if (node['x-kubernetes-int-or-string'] === true) return fc.oneof(integerArbitrary(node), textArbitrary(node));
  switch (node['type']) {
    case 'object':
      return node['properties'] === undefined ? mapArbitrary(node) : objectArbitrary(node);
    case 'array':
      return listArbitrary(node);
    case 'integer':
      return integerArbitrary(node);
    default:
      return textArbitrary(node);
  }
}

function objectArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  const properties = Object.entries(node['properties'] as Readonly<Record<string, SchemaNode>>);
  const requiredKeys = (node['required'] ?? []) as string[];
  return fc.record(Object.fromEntries(properties.map(([name, property]) => [name, nodeArbitrary(property)])), {
    requiredKeys,
  });
}

function mapArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  const keys = fc.oneof(
    fc.constantFrom('residency', 'tier', 'a.b_c-d', 'temperature'),
    fc.constantFrom('', '-a', 'ü', 'a b'),
  );
  return fc.dictionary(keys, nodeArbitrary(node['additionalProperties'] as SchemaNode), { maxKeys: 3 });
}

function listArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  const keys = (node['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  const bounds = { minLength: Number(node['minItems'] ?? 0), maxLength: Math.min(3, Number(node['maxItems'])) };
  const items = nodeArbitrary(node['items'] as SchemaNode);
  // Mostly without repeats, so that most objects get as far as the rules.
  const selector = (item: unknown) =>
    keys.length > 0 ? JSON.stringify(keys.map((key) => Reflect.get(Object(item), key))) : item;
  return fc.oneof({ weight: 9, arbitrary: fc.uniqueArray(items, { ...bounds, selector }) }, fc.array(items, bounds));
}

/** The bounds themselves, and small numbers, which are the ones that meet each other in rules. */
function integerArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  const [min, max] = [Number(node['minimum']), Number(node['maximum'])];
  return fc.oneof(
    fc.integer({ min, max: Math.min(max, min + 9) }),
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
  );
}

function textArbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  if (Array.isArray(node['enum'])) return fc.constantFrom(...node['enum']);
  const { pattern, minLength = 0, maxLength } = node;
  if (node['format'] === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date('1990-01-01'), max: new Date('2999-12-31') })
      .map((date) => date.toISOString());
  const free = fc.oneof(textsOfInterest, fc.string({ unit: 'grapheme', maxLength: 8 }));
  const texts =
    typeof pattern === 'string' ? fc.oneof(fc.stringMatching(new RegExp(pattern)), matching(pattern)) : free;
  return texts.filter((text) => [...text].length >= Number(minLength) && [...text].length <= Number(maxLength));
}

/** Texts at which rules and patterns part. */
const interesting = [
  'a',
  'b',
  'v1',
  'chat',
  'default',
  '/v1',
  '/v1/chat',
  '/azure',
  '201-599',
  '500-400',
  '4xx',
  '*',
  'gpt-*',
  'https://a.example/v1',
  'http://a.example:8080',
  'https://me@a.example',
  'https://a.example/?q',
  'http://',
];
const textsOfInterest = fc.constantFrom(...interesting);

function matching(pattern: string): fc.Arbitrary<string> {
  const fitting = interesting.filter((text) => new RegExp(pattern).test(text));
  return fitting.length > 0 ? fc.constantFrom(...fitting) : fc.stringMatching(new RegExp(pattern));
}
