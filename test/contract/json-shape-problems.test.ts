import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { problemsOfSchema } from '../../src/contract/json-shape-problems.js';

const problems = (schema: unknown) => problemsOfSchema(schema).map(({ path, message }) => `${path}: ${message}`);

describe('a good schema', () => {
  test.each<[string, unknown]>([
    ['true', true],
    ['an empty one', {}],
    ['one with words that nothing is checked by', { title: 'x', format: 3, pattern: '(', 'x-mine': { type: 'any' }, default: { type: 4 } }],
    ['members with the names of keywords', { properties: { type: { type: 'string' }, enum: {}, $ref: true, required: {} } }],
    ['a reference to itself', { properties: { next: { $ref: '#' } } }],
    ['a reference by an unusual way', { $ref: '#/parts/a', parts: { a: { type: 'string' } } }],
    ['an older one', { definitions: { a: {} }, items: [{ $ref: '#/definitions/a' }] }],
    [
      'one that zod writes',
      z.toJSONSchema(z.object({ a: z.union([z.literal([1, null]), z.tuple([z.email()])]), b: z.never().optional() })),
    ],
  ])('has no problems: %s', (_, schema) => {
    expect(problems(schema)).toEqual([]);
  });
});

describe('a schema is told', () => {
  test.each<[unknown, string[]]>([
    [undefined, [': must be a schema, not undefined']],
    ['string', [': must be a schema, not "string"']],
    [[], [': must be a schema, not an empty list']],
    [{ type: 'strng' }, ['type: must be a type, not "strng"; did you mean "string"?']],
    [{ type: ['string', null] }, ['type: must be a type or a list of types, not null']],
    [{ type: [] }, ['type: must be a type or a list of types, not an empty list']],
    [{ type: {} }, ['type: must be a type or a list of types, not an object']],
    [{ properties: [] }, ['properties: must be an object, not an empty list']],
    [{ properties: { a: { properties: { b: 'string' } } } }, ['properties.a.properties.b: must be a schema, not "string"']],
    [{ items: { required: true } }, ['items.required: must be a list of names, not true']],
    [{ required: ['a', 1] }, ['required: must be a list of names, not a list with something else']],
    [{ enum: [] }, ['enum: must be a list of one value or more, not an empty list']],
    [{ enum: 'a' }, ['enum: must be a list of one value or more, not "a"']],
    [{ anyOf: [] }, ['anyOf: must be a list of one schema or more, not an empty list']],
    [{ anyOf: [{}, 3] }, ['anyOf[1]: must be a schema, not 3']],
    [{ minLength: '3' }, ['minLength: must be a number, not "3"']],
    [{ multipleOf: 0 }, ['multipleOf: must be more than 0, not 0']],
    [{ $ref: 1 }, ['$ref: must be a string, not 1']],
    [{ $ref: 'https://x.test/a.json' }, ['$ref: must stay within the schema, such as "#/$defs/name", not "https://x.test/a.json"']],
    [{ $ref: '#/$defs/a' }, ['$ref: must lead to a schema, which "#/$defs/a" does not']],
    [{ $ref: '#name' }, ['$ref: must lead to a schema, which "#name" does not']],
    [{ $ref: '#/%E0%A4%A' }, ['$ref: must lead to a schema, which "#/%E0%A4%A" does not']],
    [{ $ref: '#/constructor' }, ['$ref: must lead to a schema, which "#/constructor" does not']],
    [{ $ref: '#/parts/a', parts: { a: { type: 4 } } }, ['parts.a.type: must be a type or a list of types, not 4']],
  ])('%j', (schema, expected) => {
    expect(problems(schema)).toEqual(expected);
  });
});

describe('a schema that has no end', () => {
  test('may be nested 64 levels deep', () => {
    const nested = (levels: number) => JSON.parse('{"items":'.repeat(levels) + '{}' + '}'.repeat(levels)) as unknown;
    expect(problems(nested(64))).toEqual([]);
    for (const levels of [65, 100_000]) expect(problems(nested(levels))[0]).toContain('is nested deeper than 64 levels');
  });

  test('may not contain itself', () => {
    const schema: { items?: unknown } = {};
    schema.items = schema;
    expect(problems(schema)).toEqual(['items: must not contain itself']);
  });

  test('is looked at up to a size, and for 20 problems', () => {
    const parts = (length: number, part: () => unknown) => ({ anyOf: Array.from({ length }, part) });
    expect(problems(parts(200_000, () => ({})))).toEqual([': has more than 10000 parts']);
    expect(problems(parts(200_000, () => 0))).toHaveLength(20);
    expect(problems({ type: Array.from({ length: 200_000 }, () => 0) })).toHaveLength(1);
  });

  test('shares parts at the cost of one', () => {
    let schema: unknown = {};
    for (let i = 0; i < 60; i++) schema = { anyOf: [schema, schema] };
    expect(problems(schema)).toEqual([]);
  });
});
