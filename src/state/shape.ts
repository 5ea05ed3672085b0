/** Checks a value against a shape and says everything that is wrong: what zod is outside the sandbox, in a page. */
export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'object'
  | 'any'
  | { list: Shape }
  | { map: Shape }
  | { fields: { [field: string]: Shape } }
  | { optional: Shape }
  | { nullable: Shape };

/** Every problem as `path: what`, at most `limit` of them. */
export function problemsOf(value: unknown, shape: Shape, path = '$', limit = 20): string[] {
  const problems: string[] = [];
  check(value, shape, path, problems, limit);
  return problems;
}

function check(value: unknown, shape: Shape, path: string, problems: string[], limit: number): void {
  if (problems.length >= limit || shape === 'any') return;
  const wrong = (expected: string) => problems.push(`${path}: expected ${expected}, found ${nameOf(value)}`);
  if (typeof shape === 'string') {
    const fits = shape === 'object' ? isObject(value) : typeof value === shape && (shape !== 'number' || Number.isFinite(value));
    if (!fits) wrong(shape === 'object' ? 'an object' : `a ${shape}`);
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
