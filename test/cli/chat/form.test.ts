import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { takeAnswer } from '../../../src/cli/chat/form.js';
import type { Json, JsonObject } from '../../../src/index.js';

/** What somebody who types these lines has answered, and read. */
async function answered(schema: JsonObject | undefined, ...lines: string[]): Promise<{ answer: Json; read: string[] }> {
  const left = [...lines];
  const read: string[] = [];
  const answer = await takeAnswer(
    {
      tell: (text) => void read.push(text),
      line: async (prompt) => {
        read.push(prompt);
        if (left.length === 0) throw new Error(`Nothing is left to type at ${prompt}`);
        return left.shift() as string;
      },
    },
    schema,
  );
  expect(left).toEqual([]);
  return { answer, read };
}

const words = { type: 'string', minLength: 1 };
const person: JsonObject = {
  anyOf: [
    words,
    { type: 'object', properties: { message: words, end: { type: 'boolean' } }, required: ['message'], additionalProperties: false },
    { type: 'object', properties: { end: { const: true } }, required: ['end'], additionalProperties: false },
  ],
};
const review: JsonObject = {
  anyOf: [
    { enum: ['approve', 'reject'] },
    {
      type: 'object',
      properties: { decision: { enum: ['approve', 'reject', 'revise'] }, feedback: { type: 'string' } },
      required: ['decision'],
    },
  ],
};
const approval: JsonObject = {
  anyOf: [
    { enum: ['approve', 'reject'] },
    {
      type: 'object',
      properties: { decision: { const: 'approve' }, arguments: { type: 'object' }, remember: { const: true } },
      required: ['decision'],
    },
    { type: 'object', properties: { decision: { const: 'reject' }, feedback: { type: 'string' } }, required: ['decision'] },
  ],
};
const address = z.object({
  name: z.string().min(1).describe('As on the door'),
  age: z.number().int().min(18).optional(),
  colour: z.enum(['red', 'green']),
  news: z.boolean(),
  home: z.object({ city: z.string(), zip: z.string().optional() }),
  tags: z.array(z.string()),
});

describe('an answer in a chat', () => {
  test.each([
    ['words as they are', person, ['It is 42.'], 'It is 42.'],
    ['words that look like a number', person, ['42'], '42'],
    ['a choice beside words, with a slash', person, ['/end'], { end: true }],
    ['JSON where it fits, beside words', person, ['{"message": "Bye.", "end": true}'], { message: 'Bye.', end: true }],
    ['JSON that does not fit is words', person, ['{"massage": 1}'], '{"massage": 1}'],
    ['a text that begins with a slash', person, ['//end'], '/end'],
    ['a choice by its word', review, ['approve'], 'approve'],
    ['a choice by its number', review, ['2'], 'reject'],
    ['a choice by enough of its word, in any case', review, ['APP'], 'approve'],
    [
      'a choice with something to say, in one line',
      review,
      ['revise: Shorter: please.'],
      { decision: 'revise', feedback: 'Shorter: please.' },
    ],
    ['a choice with something to say, asked for', review, ['revise', 'Shorter.'], { decision: 'revise', feedback: 'Shorter.' }],
    ['what may be left out', review, ['revise', ''], { decision: 'revise' }],
    ['a rejection with words', approval, ['reject: Too much.'], { decision: 'reject', feedback: 'Too much.' }],
    ['an approval that changes arguments', approval, ['3', '{"amount": 5}', ''], { decision: 'approve', arguments: { amount: 5 } }],
    ['yes', { type: 'boolean' }, ['y'], true],
    ['false', { type: 'boolean' }, ['false'], false],
    ['a number', { type: 'integer' }, ['7'], 7],
    ['a number or nothing', { type: ['number', 'null'] }, ['none'], null],
    ['a number that is a choice, not the place of one', { enum: [3, 2, 1] }, ['1'], 1],
    ['a list', { type: 'array', items: { type: 'number' } }, ['1', '2', ''], [1, 2]],
    ['an empty list', { type: 'array', items: { type: 'number' } }, [''], []],
    ['JSON where nothing else fits', { type: 'array', items: { type: 'object' } }, ['[{"a": 1}]'], [{ a: 1 }]],
    ['anything, where nothing is asked for', undefined, ['Whatever.'], 'Whatever.'],
    ['by reference', { $ref: '#/$defs/c', $defs: { c: { enum: ['a', 'b'] } } }, ['b'], 'b'],
  ] as [string, JsonObject | undefined, string[], Json][])('%s', async (_, schema, lines, answer) => {
    expect((await answered(schema, ...lines)).answer).toEqual(answer);
  });

  test('a form is filled in field by field, and what does not fit is asked again', async () => {
    const { $schema: _, ...schema } = z.toJSONSchema(address);

    const { answer, read } = await answered(schema as JsonObject, 'Anna', 'old', '17', '18', 'blue', 'red', 'no', 'Bern', '', 'a', 'b', '');

    expect(answer).toEqual({ name: 'Anna', age: 18, colour: 'red', news: false, home: { city: 'Bern' }, tags: ['a', 'b'] });
    expect(read).toEqual(
      expect.arrayContaining([
        'As on the door',
        'name: ',
        'age (Enter leaves it out): ',
        'It must be a number.',
        'must be at least 18, not 17',
        'It must be one of: red, green.',
        'news (yes/no): ',
        'home.city: ',
      ]),
    );
  });

  test('what is wrong is said, and asked again', async () => {
    const { read } = await answered(review, '', 'r', 'maybe', '9', 'reject');

    expect(read.filter((line) => line.startsWith('It must'))).toEqual([
      'It must be one of: approve, reject, approve with feedback, reject with feedback, revise.',
      'It must be one of: reject, reject with feedback, revise.',
      'It must be one of: approve, reject, approve with feedback, reject with feedback, revise.',
      'It must be one of: approve, reject, approve with feedback, reject with feedback, revise.',
    ]);
  });

  test.each([
    ['a circle', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }],
    ['alternatives within alternatives', nested(5)],
    ['a form within itself', { type: 'object', properties: { again: { $ref: '#' } } }],
    ['nonsense', { type: 'thing', anyOf: 7 as never, properties: 3 }],
    ['ten thousand choices', { enum: Array.from({ length: 10_000 }, (_, i) => `choice ${i}`) }],
    [
      'a member called __proto__',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}') as JsonObject,
    ],
  ] as [string, JsonObject][])('a schema that is %s does no harm', async (_, schema) => {
    await answered(schema, ...Array<string>(3).fill('{"a": 1}')).catch(() => undefined);
    await answered(schema, 'x').catch(() => undefined);
  });
});

function nested(depth: number): JsonObject {
  return depth === 0 ? { type: 'string' } : { anyOf: Array<JsonObject>(8).fill(nested(depth - 1)) };
}
