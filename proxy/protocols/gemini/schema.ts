// JSON Schema → the subset of OpenAPI's schemas that the older models take. Whatever else stands in a schema is refused
// with the whole request, so that only what is known is written; what can be said in other words is.
// https://ai.google.dev/api/caching#Schema

import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { textOf } from './wire.ts';

/** Members that mean the same here. */
const sameMembers = [
  'title',
  'description',
  'nullable',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
] as const;

/** The only formats that are known, by type. */
const formats: { readonly [type: string]: readonly string[] } = {
  string: ['date-time', 'enum'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};

/** Schemas within a schema: references that are each used twice would double it with every step. */
const nodesMax = 2000;
/** The service takes no deeper ones. */
const depthMax = 24;

/** Where a schema is: how deep, and within which references. One that comes again would never end. */
interface Place {
  readonly depth: number;
  readonly refs: readonly string[];
}

/** Writes a schema; undefined where it asks for an object without any members, which must not be said at all. */
export function toOpenApiSchema(schema: unknown): JsonObject | undefined {
  if (!isJsonObject(schema)) return undefined;
  const clean = new SchemaWriter(schema).write(schema, { depth: 0, refs: [] });
  return clean['type'] === 'object' && clean['properties'] === undefined ? undefined : clean;
}

/** A schema as the newer models take it: nearly as it is. Undefined where it asks for an object without any members. */
export function toJsonSchema(schema: unknown): unknown {
  if (!isJsonObject(schema)) return undefined;
  const { $schema: _, ...rest } = schema;
  return isEmptyObject(rest) ? undefined : rest;
}

function isEmptyObject({ type, properties, additionalProperties, ...rest }: JsonObject): boolean {
  const hasProperties = isJsonObject(properties) && Object.keys(properties).length > 0;
  const others = Object.keys(rest).filter((name) => !silentMembers.has(name));
  if (hasProperties || additionalProperties === true || isJsonObject(additionalProperties)) return false;
  return (type === undefined || type === 'object') && others.length === 0;
}

/** Members that do not say what is in an object. */
const silentMembers: ReadonlySet<string> = new Set(['title', 'description', 'required', '$defs', 'definitions', '$id']);

/** Writes the parts of one schema. */
class SchemaWriter {
  readonly #root: JsonObject;
  #nodes = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  write(asked: unknown, at: Place): JsonObject {
    // `true` and what lies too deep may be anything; an object is what models write then.
    if (!isJsonObject(asked) || at.depth > depthMax || ++this.#nodes > nodesMax) return { type: 'object' };
    const { schema, refs } = this.#flatten(asked, at.refs);
    const below = { depth: at.depth + 1, refs };
    const { types, nullable } = readTypes(schema);
    const [type] = types;
    const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
    if (alternatives.length > 0) return this.#writeAlternatives(schema, alternatives, nullable, below);
    if (types.length > 1) {
      const { type: _, ...rest } = schema;
      return this.#writeAlternatives(
        pick(schema, ['title', 'description']),
        types.map((each) => ({ ...rest, type: each })),
        nullable,
        below,
      );
    }
    return {
      ...pick(schema, sameMembers),
      ...(nullable && { nullable: true }),
      ...writeBounds(schema, type),
      ...writeFormat(schema, type),
      ...writeEnum(schema, type),
      ...this.#writeInner(schema, type, below),
    };
  }

  /** References are replaced by what they refer to, and demands that are to hold together by one. */
  #flatten(
    asked: JsonObject,
    refs: readonly string[],
  ): { readonly schema: JsonObject; readonly refs: readonly string[] } {
    const { $ref: ref, allOf, ...rest } = asked;
    const isNew = typeof ref === 'string' && !refs.includes(ref);
    const target = isNew ? this.#resolve(ref) : undefined;
    const within = isNew ? [...refs, ref] : refs;
    const parts = [...(target === undefined ? [] : [target]), ...listOf(allOf)];
    if (parts.length === 0 || ++this.#nodes > nodesMax) return { schema: rest, refs: within };
    const flat = parts.map((part) => this.#flatten(part, within));
    const schema = flat.map((part) => part.schema).reduceRight((later, part) => mergeSchemas(part, later), rest);
    return { schema, refs: [...new Set(flat.flatMap((part) => part.refs))] };
  }

  #resolve(ref: string): JsonObject | undefined {
    if (!ref.startsWith('#')) return undefined;
    let at: unknown = this.#root;
    for (const step of ref
      .slice(1)
      .split('/')
      .filter((name) => name !== '')) {
      const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
      at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    }
    return isJsonObject(at) ? at : undefined;
  }

  #writeAlternatives(schema: JsonObject, asked: readonly JsonObject[], nullable: boolean, below: Place): JsonObject {
    const some = asked.filter((each) => each['type'] !== 'null');
    const head = pick(schema, ['title', 'description']);
    const orNull = nullable || some.length < asked.length ? { nullable: true } : {};
    const { anyOf: _, oneOf: __, type: ___, title: ____, description: _____, ...common } = schema;
    const written = some.map((each) => this.write(mergeSchemas(each, common), below));
    const [only] = written;
    if (only !== undefined && written.length === 1) return { ...only, ...head, ...orNull };
    return written.length === 0 ? { type: 'string', ...head, nullable: true } : { ...head, ...orNull, anyOf: written };
  }

  #writeInner(schema: JsonObject, type: string | undefined, below: Place): JsonObject {
    if (type === 'array') {
      // What is in a list has to be said.
      const items = isJsonObject(schema['items']) ? schema['items'] : listOf(schema['prefixItems'])[0];
      return { type, items: items === undefined ? { type: 'string' } : this.write(items, below) };
    }
    if (type !== 'object') return type === undefined ? {} : { type };
    const entries = Object.entries(isJsonObject(schema['properties']) ? schema['properties'] : {});
    if (entries.length === 0) return { type };
    const required = Array.isArray(schema['required'])
      ? schema['required'].filter((name) => entries.some(([known]) => known === name))
      : [];
    const properties = Object.fromEntries(entries.map(([name, inner]) => [name, this.write(inner, below)]));
    return { type, properties, ...(required.length > 0 && { required }) };
  }
}

/** The types that a schema names, and else those that it can only be about. */
function readTypes(schema: JsonObject): { readonly types: readonly string[]; readonly nullable: boolean } {
  const { type } = schema;
  const named = (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string');
  const types = named.map((each) => each.toLowerCase()).filter((each) => each !== 'null');
  const nullable = types.length < named.length || schema['nullable'] === true;
  if (types.length > 0) return { types, nullable };
  if (isJsonObject(schema['properties'])) return { types: ['object'], nullable };
  if (schema['items'] !== undefined) return { types: ['array'], nullable };
  const values = valuesOf(schema).filter((value) => value !== null);
  const [first] = values;
  if (typeof first === 'number') return { types: [values.every(Number.isInteger) ? 'integer' : 'number'], nullable };
  if (typeof first === 'boolean') return { types: ['boolean'], nullable };
  return { types: alternativesIn(schema) ? [] : [first === undefined ? 'object' : 'string'], nullable };
}

function alternativesIn(schema: JsonObject): boolean {
  return listOf(schema['anyOf']).length > 0 || listOf(schema['oneOf']).length > 0;
}

/** Open bounds become closed ones: exactly so for whole numbers. */
function writeBounds(schema: JsonObject, type: string | undefined): JsonObject {
  const step = type === 'integer' ? 1 : 0;
  const { exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  return {
    ...(typeof above === 'number' && { minimum: above + step }),
    ...(typeof below === 'number' && { maximum: below - step }),
  };
}

function writeFormat({ format }: JsonObject, type: string | undefined): JsonObject {
  const known = typeof format === 'string' && (formats[type ?? ''] ?? []).includes(format);
  return known ? { format } : {};
}

/** Only texts can be listed; other values are told in words. */
function writeEnum(schema: JsonObject, type: string | undefined): JsonObject {
  const values = valuesOf(schema);
  if (values.length === 0) return {};
  const texts = values.filter((value) => typeof value === 'string' && value !== '');
  const nullable = values.includes(null) ? { nullable: true } : {};
  if (type === 'string' && texts.length > 0) return { ...nullable, format: 'enum', enum: texts };
  const words = `One of: ${values.map((value) => JSON.stringify(value)).join(', ')}.`;
  return { ...nullable, description: [textOf(schema['description']), words].filter((text) => text !== '').join(' ') };
}

function valuesOf(schema: JsonObject): readonly unknown[] {
  if (schema['const'] !== undefined) return [schema['const']];
  return Array.isArray(schema['enum']) ? schema['enum'] : [];
}

/** One schema for two that are to hold together; what both say counts as the second says it. */
function mergeSchemas(first: JsonObject, second: JsonObject): JsonObject {
  const both = (name: string): JsonObject => ({
    ...(first[name] as JsonObject | undefined),
    ...(second[name] as JsonObject | undefined),
  });
  const properties = both('properties');
  const required = [...arrayOf(first['required']), ...arrayOf(second['required'])];
  return {
    ...first,
    ...second,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required: [...new Set(required)] }),
  };
}

function pick(schema: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]]));
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
