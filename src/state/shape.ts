/** Checks a value against a shape and says everything that is wrong: what zod is outside the sandbox, in a page. */
import { isTimestamp } from '../contract/timestamp.js';

export type Shape =
  | 'string'
  /** A whole number from 0: a position, a number of things, milliseconds. */
  | 'count'
  /** As in RFC 3339. */
  | 'time'
  | 'boolean'
  | 'object'
  | 'any'
  | { list: Shape }
  | { map: Shape }
  | { fields: { [field: string]: Shape } }
  | { optional: Shape }
  | { nullable: Shape };

const words: { [S in Extract<Shape, string>]: { expected: string; fits: (value: unknown) => boolean } } = {
  string: { expected: 'a string', fits: (value) => typeof value === 'string' },
  count: { expected: 'a whole number from 0', fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0 },
  time: { expected: 'a time', fits: isTimestamp },
  boolean: { expected: 'a boolean', fits: (value) => typeof value === 'boolean' },
  object: { expected: 'an object', fits: isObject },
  any: { expected: 'anything', fits: () => true },
};

/** Every problem as `path: what`, at most `limit` of them. */
export function problemsOf(value: unknown, shape: Shape, path = '$', limit = 20): string[] {
  const problems: string[] = [];
  check(value, shape, path, problems, limit);
  return problems;
}

function check(value: unknown, shape: Shape, path: string, problems: string[], limit: number): void {
  if (problems.length >= limit) return;
  const wrong = (expected: string) => problems.push(`${path}: expected ${expected}, found ${nameOf(value)}`);
  if (typeof shape === 'string') {
    if (!words[shape].fits(value)) wrong(words[shape].expected);
  } else if ('optional' in shape) {
    if (value !== undefined) check(value, shape.optional, path, problems, limit);
  } else if ('nullable' in shape) {
    if (value !== null) check(value, shape.nullable, path, problems, limit);
  } else if ('list' in shape) {
    if (!Array.isArray(value)) return void wrong('a list');
    value.forEach((item, i) => check(item, shape.list, `${path}[${i}]`, problems, limit));
  } else if (!isObject(value)) {
    wrong('an object');
  } else if ('map' in shape) {
    for (const [key, item] of Object.entries(value)) check(item, shape.map, `${path}.${key}`, problems, limit);
  } else {
    for (const [field, inner] of Object.entries(shape.fields)) {
      check(Object.hasOwn(value, field) ? value[field] : undefined, inner, `${path}.${field}`, problems, limit);
    }
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
