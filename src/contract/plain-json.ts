/** Looks at a document before anything else does: is it plain JSON, not too deep and not too large? Never recursive, always bounded. */
import { pathText, show, type Problem } from './problems.js';

const deepest = 100;

/** Members with these names have a meaning in JavaScript: some library on the way will trip over them. */
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

interface Place {
  value: unknown;
  depth: number;
  key: string | number | undefined;
  parent: Place | undefined;
}

/** Everything that is not plain JSON; `'too large'` as soon as its text must be longer than `maxBytes`. */
export function checkPlainJson(value: unknown, maxBytes: number): Problem[] | 'too large' {
  const problems: Problem[] = [];
  const open: Place[] = [{ value, depth: 0, key: undefined, parent: undefined }];
  // What the text has at least: a shared or circular part counts each time, so the walk ends in any case.
  let bytes = 0;
  for (let place = open.pop(); place; place = open.pop()) {
    bytes += leastBytes(place.value);
    if (bytes > maxBytes) return 'too large';
    const problem = problemOf(place);
    if (problem) problems.push({ path: pathText(pathOf(place)), message: problem });
    else if (place.value !== null && typeof place.value === 'object') bytes += enter(place, open, problems);
  }
  return problems;
}

/** Adds the members of a container to those to be looked at; returns the bytes that their names take. */
function enter(place: Place, open: Place[], problems: Problem[]): number {
  const depth = place.depth + 1;
  if (Array.isArray(place.value)) {
    for (let i = place.value.length - 1; i >= 0; i--) open.push({ value: place.value[i], depth, key: i, parent: place });
    return 0;
  }
  let bytes = 0;
  const members = Object.entries(place.value as object);
  for (const [key, value] of members.reverse()) {
    bytes += key.length + 3;
    if (forbidden.has(key))
      problems.push({ path: pathText([...pathOf(place), key]), message: 'is a name that is not allowed in a document' });
    else open.push({ value, depth, key, parent: place });
  }
  return bytes;
}

function problemOf({ value, depth }: Place): string | undefined {
  if (depth > deepest) return `is nested deeper than ${deepest} levels`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `must be a number that JSON can hold, not ${value}`;
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `must be JSON, not a ${typeof value}`;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  const kind: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return `must be plain JSON, not ${typeof kind === 'string' && kind !== 'Object' ? `a ${kind}` : show(value)}`;
}

function leastBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  return Array.isArray(value) ? value.length + 1 : 1;
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) if (at.key !== undefined) path.unshift(at.key);
  return path;
}

/** Would `JSON.stringify` and others run out of stack on the way down? */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
    level = level.flatMap((member) => (typeof member === 'object' && member !== null ? Object.values(member) : []));
  }
  return level.length > 0;
}
