// JSON Schema as Anthropic's constrained decoding takes it: closed objects, and only the keywords that it can keep. What
// it cannot keep is told to the model in words, as Anthropic's own client does.
// https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations

import { isJsonObject, type JsonObject } from '../openai/wire.ts';

/** Keywords that go through as they are. */
const plain: ReadonlySet<string> = new Set([
  '$ref',
  'type',
  'enum',
  'const',
  'title',
  'description',
  'required',
  'default',
]);
/** Keywords whose value is a list of schemas, and those whose value is schemas by name. */
const lists: { readonly [keyword: string]: string } = { anyOf: 'anyOf', oneOf: 'anyOf', allOf: 'allOf' };
const maps: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
/** Keywords that say nothing that a model could heed. */
const silent: ReadonlySet<string> = new Set(['$schema', '$id', 'additionalProperties']);

const formats: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

/** Makes a schema one that can be kept. */
export function toStrictSchema(schema: unknown): unknown {
  if (!isJsonObject(schema)) return schema;
  const strict: Record<string, unknown> = {};
  const words: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const entry = encodeKeyword(keyword, value);
    if (entry !== undefined) strict[entry[0]] = entry[1];
    else if (!silent.has(keyword)) words.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  if (isObjectSchema(schema)) strict['additionalProperties'] = false;
  if (words.length > 0)
    strict['description'] = [schema['description'], `{${words.join(', ')}}`].filter(Boolean).join('\n\n');
  return strict;
}

/** A keyword as it may be said; undefined if it may not. */
function encodeKeyword(keyword: string, value: unknown): readonly [string, unknown] | undefined {
  if (plain.has(keyword)) return [keyword, value];
  if (Object.hasOwn(lists, keyword) && Array.isArray(value)) return [lists[keyword]!, value.map(toStrictSchema)];
  if (maps.has(keyword) && isJsonObject(value)) return [keyword, mapValues(value)];
  if (keyword === 'items') return [keyword, toStrictSchema(value)];
  const kept = keyword === 'format' ? formats.has(value) : keyword === 'minItems' && (value === 0 || value === 1);
  return kept ? [keyword, value] : undefined;
}

function mapValues(schemas: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toStrictSchema(schema)]));
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || properties !== undefined;
}
