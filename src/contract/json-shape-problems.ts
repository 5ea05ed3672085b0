/** What is wrong with a JSON schema that somebody hands in, before anything is checked against it. Never recursive, always bounded. */
import type { Json, JsonObject } from './json.js';
import { hint, pathText, show, type Problem } from './problems.js';

const deepest = 64;
const mostSchemas = 10_000;
const mostProblems = 20;

/** The types of JSON schema. */
export const kinds = new Map<string, { words: string; fits: (value: unknown) => boolean }>([
  ['string', { words: 'a string', fits: (value) => typeof value === 'string' }],
  ['number', { words: 'a number', fits: (value) => typeof value === 'number' }],
  ['integer', { words: 'a whole number', fits: Number.isInteger }],
  ['boolean', { words: 'true or false', fits: (value) => typeof value === 'boolean' }],
  ['object', { words: 'an object', fits: isObject }],
  ['array', { words: 'a list', fits: Array.isArray }],
  ['null', { words: 'null', fits: (value) => value === null }],
]);

const numbers = [
  ...['minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
];
const mapsOfSchemas = ['properties', '$defs', 'definitions'];
const listsOfSchemas = ['prefixItems', 'anyOf', 'oneOf', 'allOf'];
const schemas = ['items', 'additionalProperties', 'not'];

interface Part {
  schema: unknown;
  path: readonly PropertyKey[];
  within: readonly unknown[];
}

/** Up to 20 problems. What nothing is checked by, such as `format`, may hold anything. */
export function problemsOfSchema(schema: unknown): Problem[] {
  const problems: Problem[] = [];
  const open: Part[] = [{ schema, path: [], within: [] }];
  // Where references lead is looked at last: most of it will have been seen by then.
  const led: Part[] = [];
  const seen = new Set<unknown>();
  let count = 0;
  for (let part = open.pop(); part && problems.length < mostProblems; part = open.pop() ?? led.pop()) {
    const { schema: at, path, within } = part;
    const report = (message: string, ...keys: PropertyKey[]) => problems.push({ path: pathText([...path, ...keys]), message });
    if (++count > mostSchemas) return [{ path: '', message: `has more than ${mostSchemas} parts` }];
    if (within.includes(at)) report('must not contain itself');
    else if (within.length > deepest) report(`is nested deeper than ${deepest} levels`);
    else if (!isSchema(at)) report(`must be a schema, not ${show(at)}`);
    else if (typeof at === 'object' && !seen.has(at)) {
      seen.add(at);
      reportKeywords(at, report);
      for (const inner of partsOf(at, part, report).reverse()) open.push(inner);
      const ref = at['$ref'];
      if (ref !== undefined && leads(ref, schema, report)) led.push({ schema: targetOf(schema, ref), path: stepsOf(ref), within: [] });
    }
  }
  return problems.slice(0, mostProblems);
}

type Report = (message: string, ...keys: PropertyKey[]) => void;

function reportKeywords(schema: JsonObject, report: Report): void {
  const types = schema['type'] === undefined ? undefined : [schema['type']].flat();
  const wrong = types?.find((type) => typeof type !== 'string' || !kinds.has(type));
  if (typeof wrong === 'string') report(`must be a type, not ${show(wrong)}; ${hint(wrong, [...kinds.keys()])}`, 'type');
  else if (types?.length === 0 || wrong !== undefined)
    report(`must be a type or a list of types, not ${show(wrong === undefined ? [] : wrong)}`, 'type');
  const { required, enum: choices } = schema;
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === 'string')))
    report(`must be a list of names, not ${Array.isArray(required) ? 'a list with something else' : show(required)}`, 'required');
  if (choices !== undefined && !(Array.isArray(choices) && choices.length > 0))
    report(`must be a list of one value or more, not ${show(choices)}`, 'enum');
  for (const name of numbers) {
    const number = schema[name];
    if (number !== undefined && typeof number !== 'number') report(`must be a number, not ${show(number)}`, name);
  }
  if (typeof schema['multipleOf'] === 'number' && schema['multipleOf'] <= 0)
    report(`must be more than 0, not ${schema['multipleOf']}`, 'multipleOf');
}

function partsOf(schema: JsonObject, { path, within }: Part, report: Report): Part[] {
  const parts: Part[] = [];
  const add = (part: unknown, ...keys: PropertyKey[]) =>
    parts.push({ schema: part, path: [...path, ...keys], within: [...within, schema] });
  for (const name of mapsOfSchemas) {
    const map = schema[name];
    if (isObject(map)) for (const [key, part] of Object.entries(map)) add(part, name, key);
    else if (map !== undefined) report(`must be an object, not ${show(map)}`, name);
  }
  for (const name of listsOfSchemas) {
    const list = schema[name];
    if (Array.isArray(list) && list.length > 0) list.forEach((part, i) => add(part, name, i));
    else if (list !== undefined) report(`must be a list of one schema or more, not ${show(list)}`, name);
  }
  for (const name of schemas) {
    const part = schema[name];
    // Until 2019 the first items were listed here.
    if (name === 'items' && Array.isArray(part)) part.forEach((item, i) => add(item, name, i));
    else if (part !== undefined) add(part, name);
  }
  return parts;
}

function leads(ref: Json, root: unknown, report: Report): ref is string {
  if (typeof ref !== 'string') report(`must be a string, not ${show(ref)}`, '$ref');
  else if (!ref.startsWith('#')) report(`must stay within the schema, such as "#/$defs/name", not ${show(ref)}`, '$ref');
  else if (!isSchema(targetOf(root, ref))) report(`must lead to a schema, which ${show(ref)} does not`, '$ref');
  else return true;
  return false;
}

/** Where `#/$defs/name` leads. */
export function targetOf(root: unknown, ref: string): Json | undefined {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined;
  let target = root;
  for (const step of stepsOf(ref)) {
    const name = unescaped(step);
    if (name === undefined || typeof target !== 'object' || target === null || !Object.hasOwn(target, name)) return undefined;
    target = (target as JsonObject)[name];
  }
  return target as Json;
}

function stepsOf(ref: string): string[] {
  return ref === '#' ? [] : ref.slice(2).split('/');
}

function unescaped(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}

function isSchema(value: unknown): value is JsonObject | boolean {
  return isObject(value) || typeof value === 'boolean';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
