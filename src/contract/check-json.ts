/**
 * Checks JSON against a JSON schema, in the sandbox as well: it ends soon and throws nothing, whatever value and schema are.
 * What cannot be read as a schema demands nothing: `problemsOfSchema` says so beforehand.
 *
 * Every keyword without a line here is an annotation, `pattern` and `format` on purpose: somebody else's regular expression may
 * take for ever, and here that would wedge a run.
 */
import { meantBy, mostWanted, said, type Finding, type Place } from './json-findings.js';
import { isObject, kinds, listOf, targetOf } from './json-shape-problems.js';
import type { Json, JsonObject } from './json.js';
import { show, type Problem } from './problems.js';

/** Alternatives within alternatives multiply: more steps than this are nobody's schema. */
const mostSteps = 100_000;
const deepest = 400;

class TooComplicated extends Error {}

interface Run {
  root: JsonObject;
  /** An alternative has to show enough of its problems to be told from the others. */
  limit: number;
  steps: number;
  depth: number;
  targets: Map<string, Json | undefined>;
}

/** At most `limit` problems; none when the value fits. */
export function problemsOfJson(value: Json | undefined, schema: JsonObject, limit = 20): Problem[] {
  const run: Run = { root: schema, limit: Math.max(limit, 20), steps: mostSteps, depth: 0, targets: new Map() };
  const place: Place = { value, open: [] };
  try {
    const found = value === undefined ? [missing(run, place, schema)] : findings(run, place, schema);
    return said(found.slice(0, limit));
  } catch (error) {
    if (!(error instanceof TooComplicated)) throw error;
    return [{ path: '', message: 'is too complicated to check: give it, or its schema, fewer parts and alternatives' }];
  }
}

function findings(run: Run, place: Place, schema: Json | undefined): Finding[] {
  const found: Finding[] = [];
  check(run, place, schema, found);
  return found;
}

/** What a value that is not there should have been. */
function missing(run: Run, place: Place, schema: Json | undefined): Finding {
  return findings(run, place, schema)[0] ?? { place, wants: ['given'] };
}

function check(run: Run, place: Place, schema: Json | undefined, found: Finding[]): void {
  spend(run, 1);
  if (schema === false) return void found.push({ place, wants: ['left out'], misfit: 'kind' });
  // Who comes back to a schema without having moved on in the value has asked all that it asks.
  if (!isObject(schema) || place.open.includes(schema)) return;
  if (++run.depth > deepest) throw new TooComplicated();
  place.open.push(schema);
  if (fitsKind(run, place, schema, found)) {
    const { value } = place;
    if (typeof value === 'number') checkNumber(place, value, schema, found);
    else if (typeof value === 'string') checkText(run, place, value, schema, found);
    else if (Array.isArray(value)) checkList(run, place, value, schema, found);
    else if (isObject(value)) checkObject(run, place, value, schema, found);
    checkOthers(run, place, schema, found);
  }
  place.open.pop();
  run.depth--;
}

function fitsKind(run: Run, place: Place, schema: JsonObject, found: Finding[]): boolean {
  const { value } = place;
  for (const choices of [schema['const'] === undefined ? undefined : [schema['const']], schema['enum']]) {
    if (!Array.isArray(choices) || choices.length === 0 || choices.some((choice) => same(run, value, choice))) continue;
    found.push({ place, wants: choices.slice(0, mostWanted + 1).map(show), misfit: 'choice' });
    return false;
  }
  const listed = [schema['type']].flat();
  spend(run, listed.length);
  const types = listed.flatMap((type) => kinds.get(type as string) ?? []);
  if (types.length === 0 || types.some((type) => type.fits(value))) return true;
  found.push({ place, wants: types.map((type) => type.words), misfit: 'kind' });
  return false;
}

function checkNumber(place: Place, value: number, schema: JsonObject, found: Finding[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const wrong = (wanted: string) => found.push({ place, wants: [wanted] });
  if (typeof minimum === 'number' && value < minimum) wrong(`at least ${minimum}`);
  if (typeof maximum === 'number' && value > maximum) wrong(`at most ${maximum}`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) wrong(`more than ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) wrong(`less than ${exclusiveMaximum}`);
  if (typeof multipleOf !== 'number' || multipleOf <= 0) return;
  const times = value / multipleOf;
  // 0.3 is a multiple of 0.1, although not for a computer.
  if (Math.abs(times - Math.round(times)) > 4 * Number.EPSILON * Math.abs(times)) wrong(`a multiple of ${multipleOf}`);
}

function checkText(run: Run, place: Place, text: string, { minLength, maxLength }: JsonObject, found: Finding[]): void {
  if (typeof minLength !== 'number' && typeof maxLength !== 'number') return;
  spend(run, text.length / 100);
  let length = 0;
  for (const _ of text) length++;
  if (typeof minLength === 'number' && length < minLength)
    found.push({ place, wants: [`a string with a length of at least ${minLength}`] });
  if (typeof maxLength === 'number' && length > maxLength) found.push({ place, wants: [`a string with a length of at most ${maxLength}`] });
}

function checkList(run: Run, place: Place, list: Json[], schema: JsonObject, found: Finding[]): void {
  const { minItems, maxItems, items } = schema;
  if (typeof minItems === 'number' && list.length < minItems) found.push({ place, wants: [`a list of ${minItems} or more`] });
  if (typeof maxItems === 'number' && list.length > maxItems) found.push({ place, wants: [`a list of ${maxItems} or fewer`] });
  // Until 2019 the first ones were called `items`.
  const first = listOf(schema['prefixItems'] ?? items);
  const others = Array.isArray(items) ? undefined : items;
  const end = others === undefined ? Math.min(first.length, list.length) : list.length;
  for (let i = 0; i < end && found.length < run.limit; i++) {
    check(run, { value: list[i], key: i, parent: place, open: [] }, i < first.length ? first[i] : others, found);
  }
}

function checkObject(run: Run, place: Place, object: JsonObject, schema: JsonObject, found: Finding[]): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const propertyAt = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : undefined);
  for (const name of listOf(schema['required'])) {
    if (found.length >= run.limit) return;
    spend(run, 1);
    if (typeof name !== 'string' || (Object.hasOwn(object, name) && object[name] !== undefined)) continue;
    found.push(missing(run, { value: undefined, key: name, parent: place, open: [] }, propertyAt(name)));
  }
  // Whose patterns are not looked at cannot be told which names are left over.
  const others = schema['patternProperties'] === undefined ? schema['additionalProperties'] : undefined;
  const members = Object.entries(object);
  spend(run, members.length);
  for (const [key, value] of members) {
    if (found.length >= run.limit) return;
    if (value === undefined) continue;
    const member: Place = { value, key, parent: place, open: [] };
    if (Object.hasOwn(properties, key)) check(run, member, properties[key], found);
    else if (others === false) found.push({ place: member, wants: [], known: properties });
    else check(run, member, others, found);
  }
}

/** The keywords that hand the value on to other schemas. */
function checkOthers(run: Run, place: Place, schema: JsonObject, found: Finding[]): void {
  const { $ref: ref, not } = schema;
  if (typeof ref === 'string') {
    if (!run.targets.has(ref)) run.targets.set(ref, targetOf(run.root, ref));
    check(run, place, run.targets.get(ref), found);
  }
  for (const part of listOf(schema['allOf'])) {
    if (found.length >= run.limit) return;
    check(run, place, part, found);
  }
  checkAlternatives(run, place, listOf(schema['anyOf']), Infinity, found);
  checkAlternatives(run, place, listOf(schema['oneOf']), 1, found);
  if (not !== undefined && findings(run, place, not).length === 0) found.push({ place, wants: ['what its schema does not rule out'] });
}

function checkAlternatives(run: Run, place: Place, alternatives: Json[], most: number, found: Finding[]): void {
  const failed: Finding[][] = [];
  for (const alternative of alternatives) {
    const problems = findings(run, place, alternative);
    if (problems.length > 0) failed.push(problems);
    else if (most === Infinity) return;
  }
  const fitting = alternatives.length - failed.length;
  if (fitting > most) found.push({ place, wants: [`what fits only one of the alternatives, where ${fitting} fit`] });
  else if (fitting === 0 && failed.length > 0) found.push(...meantBy(place, failed));
}

function same(run: Run, a: Json | undefined, b: Json | undefined, depth = 0): boolean {
  if (depth > deepest) throw new TooComplicated();
  spend(run, typeof a === 'string' && typeof b === 'string' && a.length === b.length ? 1 + a.length / 1000 : 1);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [a as JsonObject, b as JsonObject];
  const names = Object.keys(left);
  const length = Object.keys(right).length;
  spend(run, names.length + length);
  if (Array.isArray(a) !== Array.isArray(b) || names.length !== length) return false;
  return names.every((name) => Object.hasOwn(right, name) && same(run, left[name], right[name], depth + 1));
}

function spend(run: Run, steps: number): void {
  run.steps -= steps;
  if (run.steps < 0) throw new TooComplicated();
}
