import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { toJsonSchema, toOpenApiSchema } from '../../../../proxy/protocols/gemini/schema.ts';
import { checkSchema } from './strict-server.ts';

/** A property of this schema, as it is written. */
function write(schema: object, defs: object = {}): unknown {
  const written = toOpenApiSchema({ type: 'object', properties: { a: schema }, $defs: defs });
  if (written === undefined) throw new Error('nothing was written');
  checkSchema(written);
  return (written['properties'] as { readonly a: unknown }).a;
}

describe('D95 a schema', () => {
  test.each([
    [{ type: 'string' }, { type: 'string' }],
    [{ type: ['string', 'null'] }, { type: 'string', nullable: true }],
    [{ type: ['null'] }, { type: 'object', nullable: true }],
    [{ type: 'STRING', format: 'uri' }, { type: 'string' }],
    [
      { type: 'string', format: 'date-time', default: 'x', examples: ['y'] },
      { type: 'string', format: 'date-time' },
    ],
    [
      { type: 'number', format: 'float' },
      { type: 'number', format: 'float' },
    ],
    [{ const: 'x' }, { type: 'string', format: 'enum', enum: ['x'] }],
    [{ const: 7 }, { type: 'integer', description: 'One of: 7.' }],
    [
      { type: 'integer', enum: [1, 2], description: 'How many.' },
      { type: 'integer', description: 'How many. One of: 1, 2.' },
    ],
    [
      { type: 'string', enum: ['a', null] },
      { type: 'string', format: 'enum', enum: ['a'], nullable: true },
    ],
    [
      { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 },
      { type: 'integer', minimum: 1, maximum: 9 },
    ],
    [
      { type: 'number', exclusiveMinimum: 0 },
      { type: 'number', minimum: 0 },
    ],
    [{ type: 'array' }, { type: 'array', items: { type: 'string' } }],
    [
      { type: 'array', items: { type: 'integer' }, uniqueItems: true },
      { type: 'array', items: { type: 'integer' } },
    ],
    [{ type: 'object', additionalProperties: { type: 'string' }, patternProperties: {} }, { type: 'object' }],
    [
      { type: 'object', properties: { b: true }, required: ['b', 'c'], propertyNames: {} },
      { type: 'object', properties: { b: { type: 'object' } }, required: ['b'] },
    ],
    [
      { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'd' },
      { type: 'string', nullable: true, description: 'd' },
    ],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, { anyOf: [{ type: 'string' }, { type: 'integer' }] }],
    [{ type: ['string', 'integer', 'null'] }, { nullable: true, anyOf: [{ type: 'string' }, { type: 'integer' }] }],
    [
      {
        allOf: [
          { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] },
          { properties: { c: { type: 'boolean' } } },
        ],
      },
      { type: 'object', properties: { b: { type: 'string' }, c: { type: 'boolean' } }, required: ['b'] },
    ],
    [{ properties: { b: { type: 'string' } } }, { type: 'object', properties: { b: { type: 'string' } } }],
  ])('%j becomes %j', (schema, written) => {
    expect(write(schema)).toEqual(written);
  });

  test('has what it refers to in its place', () => {
    const defs = { 'A/B': { type: 'string', description: 'b' } };
    expect(write({ $ref: '#/$defs/A~1B' }, defs)).toEqual({ type: 'string', description: 'b' });
    expect(write({ $ref: '#/$defs/A~1B', description: 'own' }, defs)).toEqual({ type: 'string', description: 'own' });
    expect(write({ $ref: '#/$defs/none' }, defs)).toEqual({ type: 'object' });
    expect(write({ $ref: 'https://example.com/a.json' })).toEqual({ type: 'object' });
  });

  test('that refers to itself comes to an end', () => {
    const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } } };
    expect(JSON.stringify(write({ $ref: '#/$defs/node' }, { node })).length).toBeLessThan(4000);
    const loop = { $ref: '#/$defs/loop' };
    expect(write(loop, { loop })).toEqual({ type: 'object' });
  });

  test('that refers to itself twice in each step does not become endless either', () => {
    const ref = { $ref: '#/$defs/node' };
    const node = { type: 'object', properties: { left: ref, right: ref, others: { type: 'array', items: ref } } };
    const startedAt = performance.now();
    expect(JSON.stringify(write(ref, { node })).length).toBeLessThan(1024 * 1024);
    const twice = (name: string): object => ({ allOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] });
    const steps = Array.from({ length: 40 }, (_, step) => [`s${step}`, twice(`s${step + 1}`)]);
    write(twice('s0'), Object.fromEntries(steps) as object);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test('of any form is one that the strict server takes', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const { schema } = fc.letrec<{ schema: object }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.record(
          {
            type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object'),
            format: fc.constantFrom('uri', 'date-time', 'float', 'int64'),
            enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { maxLength: 3 }),
            minimum: fc.integer(),
            exclusiveMaximum: fc.integer(),
            default: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        fc.record({ type: fc.constant(['string', 'null']), $comment: fc.string() }),
        fc.record({ $ref: fc.constantFrom('#', '#/properties/a', '#/$defs/x') }),
        fc.record({ const: fc.jsonValue() }),
        fc.record({ anyOf: fc.array(tie('schema'), { maxLength: 3 }), nullable: fc.boolean() }),
        fc.record({ allOf: fc.array(tie('schema'), { maxLength: 2 }), title: fc.string() }),
        fc.record({ type: fc.constant('array'), items: tie('schema'), uniqueItems: fc.boolean() }),
        fc.record({
          type: fc.constant('object'),
          properties: fc.dictionary(name, tie('schema'), { maxKeys: 3 }),
          required: fc.array(name, { maxLength: 3 }),
          additionalProperties: fc.boolean(),
        }),
      ),
    }));
    fc.assert(
      fc.property(schema, (given) => {
        const written = toOpenApiSchema({ type: 'object', properties: { a: given, b: { type: 'string' } } });
        checkSchema(written!);
      }),
      { numRuns: 300 },
    );
  });
});

test('a JSON schema keeps all but the name of its dialect', () => {
  const schema = { $schema: 's', type: 'object', properties: {}, additionalProperties: { type: 'string' } };
  expect(toJsonSchema(schema)).toEqual({ type: 'object', properties: {}, additionalProperties: { type: 'string' } });
  expect(toJsonSchema({ $ref: '#/$defs/a', $defs: { a: {} } })).toHaveProperty('$ref');
  expect(toJsonSchema({ type: 'object', additionalProperties: false })).toBeUndefined();
});
