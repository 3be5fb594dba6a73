import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { withRules } from '../../crds/rule.ts';
import { toStructural } from '../../crds/structural.ts';

const text = () => z.string().max(9);
const said = <Schema extends z.ZodType>(schema: Schema) => schema.describe('A field.');
const list = (items: z.ZodType, meta: Record<string, unknown>) => z.array(items).max(3).meta(meta);
const atomic = { 'x-kubernetes-list-type': 'atomic' };
const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };

/** Every construct that must not get into a definition, as the field `field` of an object. */
const refused: readonly (readonly [string, z.ZodType, string])[] = [
  ['a field without a description', text(), 'a field without a description'],
  ['a string without a bound', said(z.string()), 'maxLength must be given'],
  ['an integer without a lower bound', said(z.int().max(9)), 'minimum must be given'],
  ['a number that need not be an integer', said(z.number().min(1).max(2)), 'a float'],
  ['a boolean', said(z.boolean()), 'a boolean; the API uses enums'],
  ['a list without a bound', said(z.array(text()).meta(atomic)), 'maxItems must be given'],
  ['a list without a list type', said(list(text(), {})), 'a list without x-kubernetes-list-type'],
  [
    'a list with an unknown list type',
    said(list(text(), { 'x-kubernetes-list-type': 'bag' })),
    'a list without x-kubernetes-list-type',
  ],
  [
    'a set of objects',
    said(list(z.strictObject({}), { 'x-kubernetes-list-type': 'set' })),
    'a set of something else than scalars',
  ],
  [
    'a map list without keys',
    said(list(z.strictObject({}), { 'x-kubernetes-list-type': 'map' })),
    'without x-kubernetes-list-map-keys',
  ],
  ['a map list with an unknown key', said(list(z.strictObject({}), byName)), 'the key name is not a scalar'],
  [
    'a map list with an optional key',
    said(list(z.strictObject({ name: said(text().optional()) }), byName)),
    'neither required nor defaulted',
  ],
  ['a map without a bound', said(z.record(z.string(), text())), 'maxProperties must be given'],
  [
    'a map with patterns on its keys',
    said(z.record(text(), text()).meta({ maxProperties: 3 })),
    'a pattern on the keys of a map is lost',
  ],
  ['an object that takes unknown members', said(z.looseObject({ a: said(text()) })), 'an object that is not strict'],
  ['an object that drops unknown members', said(z.object({ a: said(text()) })), 'an object that is not strict'],
  ['a union', said(z.union([text(), z.int().min(1).max(2)])), 'not structural (anyOf'],
  [
    'a discriminated union',
    said(z.discriminatedUnion('a', [z.strictObject({ a: z.enum(['b']) })])),
    'not structural (oneOf',
  ],
  ['an intersection', said(z.intersection(z.strictObject({}), z.strictObject({}))), 'intersection, which'],
  ['a tuple', said(z.tuple([text()])), 'tuple, which'],
  ['anything', said(z.unknown()), 'not structural'],
  ['null', said(text().nullable()), 'nullable, which'],
  [
    'int-or-string of something else',
    said(z.union([text(), text()]).meta({ 'x-kubernetes-int-or-string': true })),
    'int-or-string must be',
  ],
  ['an unknown format', said(z.email().max(9)), 'a format that the API server does not know'],
  ['a pattern with flags', said(text().regex(/^a$/i)), 'flags of a pattern are lost'],
  ['two patterns', said(text().regex(/^a/).regex(/b$/)), 'allOf must not be there'],
  ['a pattern with a look-ahead', said(text().regex(/^(?=a)$/)), 'a look-around'],
  ['a refinement without a rule', said(text().refine(() => true)), 'a refinement without a CEL rule'],
  [
    'a refinement that relies on what is not there',
    said(z.string().refine(() => true, { params: { serverCheck: 'maxLength' } })),
    'a refinement relies on maxLength',
  ],
  ['coercion', said(z.coerce.string().max(9)), 'coercion'],
  ['a transformation', said(text().transform((value) => value)), 'pipe, which'],
  ['a value that replaces a wrong one', said(text().catch('a')), 'catch, which'],
  ['a date', said(z.date()), 'Date cannot be represented'],
  ['recursion', said(z.lazy((): z.ZodType => z.strictObject({ a: recursive }))), 'Cycle detected'],
  [
    'a rule on two lines',
    said(withRules(text(), [{ cel: 'true\n', message: 'm', holds: () => true }])),
    'CEL on one line',
  ],
  [
    'a rule without a message',
    said(withRules(text(), [{ cel: 'true', message: '', holds: () => true }])),
    'a message of one line',
  ],
  [
    'a rule that blames no field',
    said(withRules(text(), [{ cel: 'true', message: 'm', fieldPath: '.a', holds: () => true }])),
    'names no field',
  ],
  [
    'a rule with a pattern that is not RE2',
    said(withRules(text(), [{ cel: 'self.matches("^(?!a)$")', message: 'm', holds: () => true }])),
    'the pattern in a rule has a look-around',
  ],
];
const recursive: z.ZodType = z.strictObject({
  get a() {
    return recursive;
  },
});

describe('a structural schema', () => {
  test.each(refused)('has no place for %s', (_, field, why) => {
    expect(() => toStructural(z.strictObject({ field }), 'Kind spec')).toThrow(why);
  });

  test('names the kind and the field of what it refuses', () => {
    const schema = z.strictObject({ list: said(list(z.strictObject({ name: said(z.string()) }), byName)) });
    expect(() => toStructural(schema, 'Kind spec')).toThrow('Kind spec.list[].name: maxLength must be given');
  });

  test('keeps bounds, list types, rules and descriptions', () => {
    const schema = z.strictObject({
      list: said(
        list(
          z.strictObject({ name: said(text().regex(/^a\/b$/)), size: said(z.int().min(0).max(9).default(3)) }),
          byName,
        ),
      ),
      limit: said(
        z
          .int()
          .min(1)
          .max(2 ** 40),
      ).optional(),
      free: said(z.unknown().meta({ 'x-kubernetes-preserve-unknown-fields': true }).optional()),
    });
    const rule = {
      cel: 'size(self.list) > 0',
      message: 'list must have entries',
      fieldPath: '.list',
      holds: () => true,
    };
    expect(toStructural(withRules(schema, [rule]), 'Kind spec')).toEqual({
      type: 'object',
      required: ['list'],
      'x-kubernetes-validations': [{ rule: rule.cel, message: rule.message, fieldPath: '.list' }],
      properties: {
        list: {
          type: 'array',
          description: 'A field.',
          maxItems: 3,
          ...byName,
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', description: 'A field.', maxLength: 9, pattern: '^a/b$' },
              size: { type: 'integer', format: 'int32', description: 'A field.', minimum: 0, maximum: 9, default: 3 },
            },
          },
        },
        limit: { type: 'integer', format: 'int64', description: 'A field.', minimum: 1, maximum: 2 ** 40 },
        free: { description: 'A field.', 'x-kubernetes-preserve-unknown-fields': true },
      },
    });
  });

  test('writes out the defaults inside a default, because rules may count on them', () => {
    const inner = z.strictObject({ seconds: said(z.int().min(1).max(9).default(3)) });
    const outer = z.strictObject({ inner: said(inner.prefault({})), mode: said(z.enum(['A', 'B']).default('A')) });
    expect(toStructural(z.strictObject({ outer: said(outer.prefault({ mode: 'B' })) }), 'Kind spec')).toMatchObject({
      properties: { outer: { default: { mode: 'B', inner: { seconds: 3 } } } },
    });
  });

  test('has one shape for int-or-string, with the bounds of both', () => {
    const either = z.union([z.int().min(1).max(5), text().regex(/^a$/)]).meta({ 'x-kubernetes-int-or-string': true });
    expect(toStructural(z.strictObject({ either: said(either) }), 'Kind spec')['properties']).toEqual({
      either: {
        description: 'A field.',
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        minimum: 1,
        maximum: 5,
        maxLength: 9,
        pattern: '^a$',
      },
    });
  });
});
