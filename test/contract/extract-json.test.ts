import { describe, expect, test } from 'vitest';
import { extractJson } from '../../src/contract/extract-json.js';
import type { Json } from '../../src/contract/json.js';

describe('the JSON in what a model wrote', () => {
  test.each<[string, string, Json | undefined]>([
    ['is the whole text', ' {"a": [1]}\n', { a: [1] }],
    ['is a scalar when that is the whole text', '42', 42],
    ['is null when that is the whole text', 'null', null],
    ['is no scalar within words', 'The answer is 42, or "x".', undefined],
    ['is not in an empty text', '', undefined],
    ['is not in prose', 'See {name} and [below] {"a" and "b"}, it\'s {x | x > 1}.', undefined],
    ['is the last block that can be read', '```json\n{"a":1}\n```\nor\n```json\n{"a":2}\n```\nwith\n```ts\nlet x = {};\n```\n', { a: 2 }],
    ['is in a block without a language', 'So:\r\n```\r\n[1, 2]\r\n```\r\nDone {"a":1}.', [1, 2]],
    ['is in a block that is indented', '- So:\n  ```json\n  {"a":1}\n  ```', { a: 1 }],
    ['is in a block on one line', 'So: ```json {"a":1}```', { a: 1 }],
    ['is in a block that is never closed', 'So:\n```json\n{"a":1}', { a: 1 }],
    ['is in a block after one that is never closed', '```\nWell {"b\n```json\n{"a":1}\n```', { a: 1 }],
    ['may hold a fence', '```json\n{"a":"\\n```js\\n{}\\n```"}\n```', { a: '\n```js\n{}\n```' }],
    ['is within words', 'I say {"a": {"b": "}"}} and nothing else.', { a: { b: '}' } }],
    ['may hold quotes, brackets and backslashes', 'x {"a":"\\"}{[\\\\","b":[]} y', { a: '"}{[\\', b: [] }],
    ['is the last of several', '{"a":1}\n{"a":2}{"a":3}', { a: 3 }],
    ['is the last that can be read', '{"a":1} {"a":2} {"a":}', { a: 2 }],
    ['is an object rather than a list', '{"a":1} and [2]', { a: 1 }],
    ['is a list with its objects', 'So: [{"a":1},{"a":2}].', [{ a: 1 }, { a: 2 }]],
    ['is no part of what was cut short', 'So: {"a": {"b":1}, "c": [{"d":1}], "e": "and', undefined],
    ['is no part of what cannot be read', 'So: {"a": {"b":1}, c: {"d":1}}', undefined],
    ['comes after quotation marks', 'He said "no, and it\'s {"a":1}', { a: 1 }],
    ['comes after brackets of prose', '{{ [see {x | ... [1, ok] {"a":1} }}', { a: 1 }],
    ['comes after a string without an end', '{"a": "oops\n}\n{"b":1}', { b: 1 }],
    ['comes after brackets that do not match', '{"a": [1} {"b":1}', { b: 1 }],
  ])('%s', (_, text, value) => {
    expect(extractJson(text)).toEqual(value);
  });

  test('keeps members with names that mean something in JavaScript', () => {
    const value = extractJson('x {"__proto__":{"a":1}}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('counts only where it could be written out again', () => {
    expect(extractJson('['.repeat(200_000) + ']'.repeat(200_000))).toBeUndefined();
    expect(extractJson(`x ${'{"a":'.repeat(50)}1${'}'.repeat(50)}`)).toBeTypeOf('object');
  });
});

describe('a text that is made to take for ever', () => {
  const times = 200_000;
  test.each<[string, string]>([
    ['opening brackets', '{'.repeat(times)],
    ['opening brackets of lists', '['.repeat(times)],
    ['keys', '{"a":'.repeat(times)],
    ['closing brackets', '}'.repeat(times)],
    ['brackets and quotes', '{"'.repeat(times)],
    ['a bracket and escaped quotes', `{"${'\\"'.repeat(times)}\n`],
    ['lines of strings without an end', `{${'"\\"\\"\n'.repeat(times)}`],
    ['brackets before much space', `{${' '.repeat(times)}`.repeat(5)],
    ['what is balanced and cannot be read', '{"}"}'.repeat(times)],
    ['what matches by halves', '{"a":[}'.repeat(times)],
    ['fences', '```\n'.repeat(times)],
    ['fences that open', '```json\n{\n'.repeat(times)],
    ['a long line of backticks', '`'.repeat(times)],
  ])(
    'does not: %s',
    (_, text) => {
      expect(extractJson(text)).toBeUndefined();
    },
    2000,
  );
});
