/**
 * From a zod schema to the structural schema that the API server takes. It fails closed: what is not known to be
 * structural, bounded and checked alike on both sides throws, with the place at which it stands.
 */
import { z } from 'zod';
import { whyNotPortable } from './re2.ts';
import { validationsKey } from './rule.ts';
import { isNode, memberOf, membersOf, requireNumbers, type SchemaNode } from './schema-node.ts';
import { serverChecks } from './server-checks.ts';
import { toValidations } from './validations.ts';

/** Makes the structural schema of `schema`; `place` begins the message of what it throws. */
export function toStructural(schema: z.ZodType, place: string): SchemaNode {
  const relied: { readonly path: readonly (string | number)[]; readonly keyword: string }[] = [];
  const raw = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
    override: ({ zodSchema, path }) => {
      const keywords = serverChecks(zodSchema, [place, ...path].join('.'));
      relied.push(...keywords.map((keyword) => ({ path, keyword })));
    },
  });
  for (const { path, keyword } of relied) {
    const at = [place, ...path].join('.');
    if (!(keyword in Object(valueAt(raw, path))))
      throw new Error(`${at}: a refinement relies on ${keyword}, which is not there`);
  }
  return toNode(raw, place);
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value, segment) => Reflect.get(Object(value), segment), root);
}

const preserve = 'x-kubernetes-preserve-unknown-fields';

function toNode(node: SchemaNode, at: string): SchemaNode {
  if (node[preserve] === true) return only(node, [preserve], at);
  if (node['x-kubernetes-int-or-string'] === true) return toIntOrString(node, at);
  switch (node['type']) {
    case 'object':
      return node['properties'] === undefined ? toMap(node, at) : toObject(node, at);
    case 'array':
      return toArray(node, at);
    case 'string':
      return toString(node, at);
    case 'integer':
      return toInteger(node, at);
    case 'boolean':
      throw new Error(`${at}: a boolean; the API uses enums, which can grow`);
    case 'number':
      throw new Error(`${at}: a float; the API uses integers and decimal strings`);
    default:
      throw new Error(`${at}: not structural (${Object.keys(node).join(', ') || 'an empty schema'})`);
  }
}

function toObject(node: SchemaNode, at: string): SchemaNode {
  const { additionalProperties, required, ...rest } = only(
    node,
    ['type', 'properties', 'required', 'additionalProperties', 'x-kubernetes-map-type'],
    at,
  );
  if (additionalProperties !== false) throw new Error(`${at}: an object that is not strict`);
  const properties: Record<string, SchemaNode> = {};
  for (const [name, member] of Object.entries(membersOf(node, 'properties', at))) {
    if (typeof member['description'] !== 'string') throw new Error(`${at}.${name}: a field without a description`);
    properties[name] = toNode(member, `${at}.${name}`);
  }
  const needed =
    Array.isArray(required) && required.length > 0 ? { required: required.map(String).toSorted(byText) } : {};
  return { ...rest, ...needed, ...wholeDefault(node, properties), properties };
}

function byText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * The API server validates a default as it stands, without the defaults inside it, and evaluates rules over it that
 * may count on those. So they are written out.
 */
function wholeDefault(node: SchemaNode, properties: Readonly<Record<string, SchemaNode>>): SchemaNode {
  const given: unknown = node['default'];
  if (!isNode(given)) return {};
  const inner = Object.entries(properties).filter(([, member]) => member['default'] !== undefined);
  return { default: { ...Object.fromEntries(inner.map(([name, member]) => [name, member['default']])), ...given } };
}

function toMap(node: SchemaNode, at: string): SchemaNode {
  const { propertyNames: _, ...kept } = node;
  const map = only(kept, ['type', 'additionalProperties', 'maxProperties', 'x-kubernetes-map-type'], at);
  requireNumbers(map, ['maxProperties'], at);
  return { ...map, additionalProperties: toNode(memberOf(node, 'additionalProperties', at), `${at}[]`) };
}

function toArray(node: SchemaNode, at: string): SchemaNode {
  const array = only(
    node,
    ['type', 'items', 'minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
    at,
  );
  requireNumbers(array, ['maxItems'], at);
  const items = toNode(memberOf(node, 'items', at), `${at}[]`);
  switch (node['x-kubernetes-list-type']) {
    case 'atomic':
      break;
    case 'set':
      if (items['type'] !== 'string' && items['type'] !== 'integer')
        throw new Error(`${at}: a set of something else than scalars`);
      break;
    case 'map':
      requireKeys(node['x-kubernetes-list-map-keys'], items, at);
      break;
    default:
      throw new Error(`${at}: a list without x-kubernetes-list-type`);
  }
  return { ...array, items };
}

/** The API server tells entries apart by these, so each must be a scalar that is always there. */
function requireKeys(keys: unknown, items: SchemaNode, at: string): void {
  if (!Array.isArray(keys) || keys.length === 0)
    throw new Error(`${at}: a map list without x-kubernetes-list-map-keys`);
  const members = membersOf(items, 'properties', at);
  const required: unknown = items['required'];
  for (const key of keys) {
    const member = members[key];
    if (member?.['type'] !== 'string' && member?.['type'] !== 'integer')
      throw new Error(`${at}: the key ${key} is not a scalar`);
    const always = member['default'] !== undefined || (Array.isArray(required) && required.includes(key));
    if (!always) throw new Error(`${at}: the key ${key} is neither required nor defaulted`);
  }
}

function toString(node: SchemaNode, at: string): SchemaNode {
  const { minLength, ...text } = only(node, ['type', 'enum', 'minLength', 'maxLength', 'pattern', 'format'], at);
  const { format = 'date-time', pattern: source } = node;
  if (format !== 'date-time') throw new Error(`${at}: a format that the API server does not know`);
  if (node['enum'] === undefined) requireNumbers(node, ['maxLength'], at);
  const least = typeof minLength === 'number' && minLength > 0 ? { minLength } : {};
  if (typeof source !== 'string') return { ...text, ...least };
  // A RegExp writes "/" as "\/" in its source.
  const pattern = source.replaceAll('\\/', '/');
  const why = whyNotPortable(pattern);
  if (why !== undefined) throw new Error(`${at}: the pattern has ${why}`);
  return { ...text, ...least, pattern };
}

function toInteger(node: SchemaNode, at: string): SchemaNode {
  const integer = only(node, ['type', 'minimum', 'maximum'], at);
  requireNumbers(node, ['minimum', 'maximum'], at);
  if (node['minimum'] === Number.MIN_SAFE_INTEGER) throw new Error(`${at}: minimum must be given`);
  return { ...integer, format: Number(node['maximum']) > 2 ** 31 - 1 ? 'int64' : 'int32' };
}

/** The one shape of a union that is structural. Bounds apply to the alternative of their type, so they move up. */
function toIntOrString(node: SchemaNode, at: string): SchemaNode {
  const { anyOf, ...rest } = only(node, ['anyOf', 'x-kubernetes-int-or-string'], at);
  const [integer, text, ...more] = Array.isArray(anyOf) ? anyOf : [];
  if (integer?.type !== 'integer' || text?.type !== 'string' || more.length > 0) {
    throw new Error(`${at}: int-or-string must be a union of an integer and a string`);
  }
  const { type: _integer, format: _format, ...integerBounds } = toInteger(integer, at);
  const { type: _text, ...textBounds } = toString(text, at);
  return { ...rest, ...integerBounds, ...textBounds, anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

const everywhere = ['description', 'default', validationsKey];

/** Copies the keywords that are allowed, and refuses the others. */
function only(node: SchemaNode, allowed: readonly string[], at: string): SchemaNode {
  const surplus = Object.keys(node).filter((keyword) => !allowed.includes(keyword) && !everywhere.includes(keyword));
  if (surplus.length > 0) throw new Error(`${at}: ${surplus.join(', ')} must not be there`);
  const rules: unknown = node[validationsKey];
  return rules === undefined ? { ...node } : { ...node, [validationsKey]: toValidations(rules, node, at) };
}
