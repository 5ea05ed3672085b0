/** JSON as text. Kept numbers come out as they went in, and `$type` before everything else. */
import type { ExactJson } from './document.js';
import { ExactNumber } from './exact-number.js';

export function textOfJson(value: ExactJson): string {
  if (value instanceof ExactNumber) return value.value;
  if (Array.isArray(value)) return `[${value.map(textOfJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = namesOf(value).map((name) => `${JSON.stringify(name)}:${textOfJson(value[name] as ExactJson)}`);
  return `{${members.join(',')}}`;
}

/** JavaScript moves names such as `1` to the front, where `$type` has to be. */
function namesOf(object: object): string[] {
  const names = Object.keys(object);
  const isMoved = /^\d+$/.test(names[0] ?? '') && Object.hasOwn(object, '$type');
  return isMoved ? ['$type', ...names.filter((name) => name !== '$type')] : names;
}
