import { describe, expect, test } from 'vitest';
import { kindDefinitions } from '../../crds/definition.ts';
import { parseResource } from '../../crds/parse-resource.ts';
import { allRules, specNode, visits, withDefaults } from './schema-walk.ts';
import { invalidFixtures, validFixtures } from './fixture.ts';

const valid = validFixtures();
const invalid = invalidFixtures();

describe('an object that must be accepted', () => {
  test.each(valid)('$name has no problem', ({ kind, value }) => {
    expect(parseResource(kind, value)).toMatchObject({ ok: true });
  });

  test.each(valid)('$name gets the defaults that the API server fills in', ({ kind, value }) => {
    const result = parseResource(kind, value);
    expect(result.ok && result.resource.spec).toEqual(withDefaults(specNode(kind), Reflect.get(Object(value), 'spec')));
  });
});

describe('an object that must be refused', () => {
  test.each(invalid)('$name says why, and where', ({ kind, value, field, message }) => {
    const result = parseResource(kind, value);
    expect(result.ok ? [] : result.problems).toContainEqual({ field, message });
  });
});

describe('the fixtures', () => {
  const rules = allRules().filter((rule) => rule.holds !== undefined);

  test.each(rules)('show an object that breaks: $message', ({ message }) => {
    expect(invalid.map((fixture) => fixture.message)).toContain(message);
  });

  test.each(rules)('show an object that keeps: $message', (rule) => {
    const kept = valid.flatMap(({ kind, value }) => visits(specNode(kind), Reflect.get(Object(value), 'spec'), 'spec'));
    expect(kept.map((visit) => visit.rule)).toContain(rule);
  });

  test.each(kindDefinitions)('show every field of $kind at least once', ({ kind }) => {
    const shown = new Set(valid.flatMap(({ value }) => fieldsOf(Reflect.get(Object(value), 'spec'), '')));
    expect(fieldsOfSchema(specNode(kind), '').filter((field) => !shown.has(field))).toEqual([]);
  });
});

function fieldsOf(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((entry) => fieldsOf(entry, `${path}[]`))];
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => fieldsOf(member, `${path}.${name}`))];
}

function fieldsOfSchema(node: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  const items = node['items'] as Readonly<Record<string, unknown>> | undefined;
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, Readonly<Record<string, unknown>>>);
  return [
    path,
    ...(items ? fieldsOfSchema(items, `${path}[]`) : []),
    ...properties.flatMap(([name, property]) => fieldsOfSchema(property, `${path}.${name}`)),
  ];
}
