import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { problemsOfJson } from '../../src/contract/check-json.js';
import type { Json, JsonObject } from '../../src/contract/json.js';

/** Each problem as it is read: `path: message`. */
const check = (value: Json | undefined, schema: JsonObject, limit?: number) =>
  problemsOfJson(value, schema, limit).map(({ path, message }) => `${path}: ${message}`);
const parse = (text: string) => JSON.parse(text) as JsonObject;
const tooComplicated = [': is too complicated to check: give it, or its schema, fewer parts and alternatives'];
const quickly = 5000;

describe('a value that fits', () => {
  test.each<[string, Json, JsonObject]>([
    ['a schema that demands nothing', { a: [1] }, {}],
    ['a whole number as a number', 3, { type: 'number' }],
    ['one of several types', null, { type: ['string', 'null'] }],
    ['an enum by content, not by order', { b: [1], a: 2 }, { enum: [1, { a: 2, b: [1] }] }],
    ['a const of null', null, { const: null }],
    ['members that nobody listed', { a: 1, b: 2 }, { type: 'object', properties: { a: { type: 'number' } } }],
    ['a schema for the other members', { a: 'x', b: 2 }, { properties: { a: {} }, additionalProperties: { type: 'number' } }],
    ['first items and others', ['a', 1, 2], { prefixItems: [{ type: 'string' }], items: { type: 'number' } }],
    ['first items as they were written until 2019', ['a', true], { items: [{ type: 'string' }] }],
    ['length in characters, not in halves of them', '😀😀', { minLength: 2, maxLength: 2 }],
    ['a multiple for people', 0.3, { multipleOf: 0.1 }],
    ['exactly one alternative', 1, { oneOf: [{ type: 'number' }, { type: 'string' }] }],
    ['several of any alternatives', 1, { anyOf: [{ type: 'number' }, { minimum: 0 }] }],
    ['what is not ruled out', 1, { not: { type: 'string' } }],
    ['a reference with escaped steps', 1, { $ref: '#/$defs/a~1b~0c%20d', $defs: { 'a/b~c d': { type: 'number' } } }],
    ['keywords that only other kinds of value have', 'x', { minimum: 5, minItems: 3, required: ['a'] }],
    ['a pattern and a format, which are not looked at', 'x', { type: 'string', pattern: '^(a+)+$', format: 'email' }],
    ['other members where names go by patterns', { 'x-a': 1 }, { patternProperties: { '^x-': {} }, additionalProperties: false }],
    ['what is no schema', 1, { anyOf: 'x', allOf: [3, null], type: 'any', required: 4, enum: [], properties: [], $ref: '#/nowhere' }],
  ])('%s has no problems', (_, value, schema) => {
    expect(check(value, schema)).toEqual([]);
  });
});

describe('a value that does not fit is told what it must be', () => {
  test.each<[Json | undefined, JsonObject, string[]]>([
    [42, { type: 'string' }, [': must be a string, not 42']],
    [1.5, { type: ['integer', 'null', 'boolean'] }, [': must be a whole number, null or true or false, not 1.5']],
    [undefined, { type: 'object' }, [': is missing; it must be an object']],
    [undefined, {}, [': is missing; it must be given']],
    ['c', { type: 'string', enum: ['a', 'b'] }, [': must be "a" or "b", not "c"']],
    [[], { const: {} }, [': must be an object, not an empty list']],
    [
      {},
      { required: ['a', 'b'], properties: { a: { type: 'string' } } },
      ['a: is missing; it must be a string', 'b: is missing; it must be given'],
    ],
    [{ nmae: 1 }, { properties: { name: {} }, additionalProperties: false }, ['nmae: is not known here; did you mean "name"?']],
    [{ a: 1 }, { properties: { a: false } }, ['a: must be left out, not 1']],
    [
      { agents: [{}, { name: 4 }] },
      { properties: { agents: { items: { properties: { name: { type: 'string' } } } } } },
      ['agents[1].name: must be a string, not 4'],
    ],
    [
      ['a'],
      { minItems: 2, prefixItems: [{ type: 'number' }] },
      [': must be a list of 2 or more, not a list of 1', '[0]: must be a number, not "a"'],
    ],
    [[1, 2], { maxItems: 1 }, [': must be a list of 1 or fewer, not a list of 2']],
    [['a', 1], { prefixItems: [{}], items: false }, ['[1]: must be left out, not 1']],
    ['ab', { minLength: 3 }, [': must be a string with a length of at least 3, not "ab"']],
    ['ab', { maxLength: 1 }, [': must be a string with a length of at most 1, not "ab"']],
    [1, { minimum: 2, multipleOf: 3 }, [': must be at least 2, not 1', ': must be a multiple of 3, not 1']],
    [2, { exclusiveMinimum: 2, maximum: 1 }, [': must be at most 1, not 2', ': must be more than 2, not 2']],
    [2, { exclusiveMaximum: 2 }, [': must be less than 2, not 2']],
    ['x', { not: { type: 'string' } }, [': must be what its schema does not rule out, not "x"']],
    [1, { oneOf: [{ type: 'number' }, {}] }, [': must be what fits only one of the alternatives, where 2 fit, not 1']],
    [1, { allOf: [{ type: 'string' }, { type: 'string' }, { minimum: 2 }] }, [': must be a string, not 1', ': must be at least 2, not 1']],
  ])('%j', (value, schema, problems) => {
    expect(check(value, schema)).toEqual(problems);
  });

  test('no more than 20 choices', () => {
    const numbers = Array.from({ length: 25 }, (_, i) => i);
    const named = `${numbers.slice(0, 20).join(', ')}, …`;
    expect(check('x', { enum: numbers })).toEqual([`: must be ${named}, not "x"`]);
    expect(check('x', { anyOf: numbers.map((number) => ({ const: number })) })).toEqual([`: must be ${named}, not "x"`]);
  });

  test('at most as many times as it asks for', () => {
    expect(check([1, 2, 3], { items: { type: 'string' } }, 2)).toEqual(['[0]: must be a string, not 1', '[1]: must be a string, not 2']);
  });
});

describe('of alternatives', () => {
  const text = { type: 'object', properties: { kind: { const: 'text' }, text: { type: 'string' } }, required: ['kind', 'text'] };
  const number = { type: 'object', properties: { kind: { const: 'number' }, number: { type: 'number' } }, required: ['kind', 'number'] };

  test('the one whose kind of value fits is meant', () => {
    expect(check([1], { anyOf: [{ type: 'null' }, { type: 'array', items: { type: 'string' } }] })).toEqual([
      '[0]: must be a string, not 1',
    ]);
  });

  test('all are named when no kind fits, also those within others', () => {
    const schema: JsonObject = { anyOf: [{ enum: ['a', 'b'] }, { oneOf: [{ type: 'number' }, { type: 'null' }] }, { type: 'null' }] };
    expect(check('c', schema)).toEqual([': must be "a", "b", a number or null, not "c"']);
  });

  test('the one that the value names is meant', () => {
    expect(check({ kind: 'number', number: 'x' }, { oneOf: [text, number] })).toEqual(['number: must be a number, not "x"']);
  });

  test('the names are listed when the value names none of them', () => {
    expect(check({ kind: 'nmuber' }, { anyOf: [text, number] })).toEqual(['kind: must be "text" or "number", not "nmuber"']);
    expect(check({}, { anyOf: [text, number] })).toEqual(['kind: is missing; it must be "text" or "number"']);
  });

  test('the one with the fewest problems is meant when nothing else tells', () => {
    const person = z.toJSONSchema(z.strictObject({ name: z.string(), age: z.int() })) as JsonObject;
    const book = z.toJSONSchema(z.strictObject({ title: z.string(), year: z.int() })) as JsonObject;
    expect(check({ title: 'Emma' }, { anyOf: [person, book] })).toEqual(['year: is missing; it must be a whole number']);
  });
});

describe('a schema that refers to itself', () => {
  const tree = parse('{"type":"object","properties":{"name":{"type":"string"},"children":{"items":{"$ref":"#"}}},"required":["name"]}');

  test('is followed as far as the value goes', () => {
    expect(check({ name: 'a', children: [{ name: 'b' }, { children: [] }] }, tree)).toEqual([
      'children[1].name: is missing; it must be a string',
    ]);
  });

  test.each<[string, JsonObject]>([
    ['at once', { $ref: '#' }],
    ['by way of another', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }],
    ['in alternatives', { anyOf: [{ $ref: '#' }, { $ref: '#' }], allOf: [{ $ref: '#' }] }],
    ['in what it rules out', { not: { not: { $ref: '#' } } }],
  ])('%s comes to an end', (_, schema) => {
    expect(check({ a: 1 }, schema)).toEqual([]);
  });
});

describe('names that mean something in JavaScript', () => {
  test('are members like any other', () => {
    const schema = parse('{"properties":{"__proto__":{"type":"string"}},"required":["__proto__","constructor","toString"]}');
    expect(check({}, schema)).toEqual([
      '__proto__: is missing; it must be a string',
      'constructor: is missing; it must be given',
      'toString: is missing; it must be given',
    ]);
    expect(check(parse('{"__proto__":1,"constructor":1,"toString":1}'), schema)).toEqual(['__proto__: must be a string, not 1']);
    expect(check(parse('{"constructor":1}'), { properties: {}, additionalProperties: false })).toEqual([
      'constructor: is not known here; there are none',
    ]);
    expect(check('x', { $ref: '#/constructor' })).toEqual([]);
  });
});

describe('what would take for ever', () => {
  const nested = (levels: number, open: string, close: string) => parse(open.repeat(levels) + '{}' + close.repeat(levels));
  const list = (length: number, value: Json) => Array.from({ length }, () => value);
  const bomb: JsonObject = { $ref: '#/$defs/l0', $defs: {} };
  for (let i = 0; i < 40; i++) {
    const next = { $ref: `#/$defs/l${i + 1}` };
    (bomb['$defs'] as JsonObject)[`l${i}`] = { anyOf: [{ allOf: [next, { const: 1 }] }, { allOf: [next, { const: 2 }] }] };
  }
  const long = 'x'.repeat(1_000_000);

  test.each<[string, Json, JsonObject]>([
    ['alternatives that multiply', 'x', bomb],
    ['a value that is nested too deep', nested(5000, '{"a":[', ']}'), { properties: { a: { items: { $ref: '#' } } } }],
    ['a schema that is nested too deep', 'x', nested(5000, '{"anyOf":[{"not":', '}]}')],
    ['texts that are counted again and again', long, { allOf: list(1000, { minLength: 2_000_000 }) }],
    ['texts that are compared again and again', long, { allOf: list(1000, { const: long }) }],
    ['a long list for each of many alternatives', list(100_000, 1), { anyOf: list(1000, { items: { type: 'number' }, maxItems: 1 }) }],
    ['a choice that is nested too deep', nested(5000, '{"a":', '}'), { const: nested(5000, '{"a":', '}') }],
  ])(
    '%s is refused',
    (_, value, schema) => {
      expect(check(value, schema)).toEqual(tooComplicated);
    },
    quickly,
  );

  test(
    'a name that is like none of many long ones is still looked for in time',
    () => {
      const properties = Object.fromEntries(list(20_000, 0).map((_, i) => [`${'n'.repeat(50)}${i}`, {}]));
      const value = Object.fromEntries(list(20_000, 0).map((_, i) => [`${'m'.repeat(50)}${i}`, 1]));
      expect(check(value, { properties, additionalProperties: false })).toHaveLength(20);
    },
    quickly,
  );

  test('takes no more than the first problems of a long list', () => {
    expect(check(list(1_000_000, 1), { items: { type: 'string' } })).toHaveLength(20);
  });

  test('a good value of ordinary size is not affected', () => {
    const item = { type: 'object', properties: { id: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } } };
    expect(check(list(5000, { id: 1, tags: ['a', 'b', 'c'] }), { type: 'array', items: item })).toEqual([]);
  });
});

describe('a schema that zod writes', () => {
  const node = z.object({
    name: z.string(),
    get children() {
      return z.array(node);
    },
  });
  test.each<[string, z.ZodType, Json[], [Json, string][]]>([
    [
      'an object',
      z.object({ a: z.string(), b: z.int().optional() }),
      [{ a: 'x' }],
      [[{ a: 'x', b: 1.5 }, 'b: must be a whole number, not 1.5']],
    ],
    ['what may be null', z.string().nullable(), [null, 'x'], [[1, ': must be a string or null, not 1']]],
    ['an enum', z.enum(['a', 'b']), ['a'], [['c', ': must be "a" or "b", not "c"']]],
    ['a literal', z.literal(['a', 1, null]), ['a', 1, null], [[2, ': must be "a", 1 or null, not 2']]],
    ['a union', z.union([z.literal('all'), z.array(z.int())]), ['all', [1]], [[true, ': must be "all" or a list, not true']]],
    ['a tuple', z.tuple([z.string(), z.int()]), [['a', 1]], [[['a'], ': must be a list of 2 or more, not a list of 1']]],
    ['a record', z.record(z.string(), z.number()), [{ a: 1 }], [[{ a: 'x' }, 'a: must be a number, not "x"']]],
    ['limits', z.number().gt(1).lte(5).multipleOf(0.5), [1.5, 5], [[1, ': must be more than 1, not 1']]],
    [
      'an intersection',
      z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
      [{ a: 1, b: 2 }],
      [[{ a: 1 }, 'b: is missing; it must be a whole number']],
    ],
    [
      'a tree',
      node,
      [{ name: 'a', children: [{ name: 'b', children: [] }] }],
      [[{ name: 'a', children: [{ name: 'b' }] }, 'children[0].children: is missing; it must be a list']],
    ],
    [
      'a discriminated union',
      z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), a: z.int() }), z.object({ kind: z.literal('b'), b: z.int() })]),
      [{ kind: 'b', b: 1 }],
      [
        [{ kind: 'b' }, 'b: is missing; it must be a whole number'],
        [{ kind: 'c' }, 'kind: must be "a" or "b", not "c"'],
      ],
    ],
  ])('for %s takes what zod takes and nothing else', (_, type, good, bad) => {
    const schema = z.toJSONSchema(type) as JsonObject;
    for (const value of good) expect([type.safeParse(value).success, check(value, schema)]).toEqual([true, []]);
    for (const [value, problem] of bad) expect([type.safeParse(value).success, check(value, schema)]).toEqual([false, [problem]]);
  });
});
