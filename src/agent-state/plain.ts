import type { Json } from '../contract/json.js';
import type { ExactJson } from './document.js';
import { ExactNumber } from './exact-number.js';

/** JSON with every number as JavaScript has it: the nearest one. */
export function plain(value: ExactJson): Json {
  if (value instanceof ExactNumber) return value.toJSON();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
