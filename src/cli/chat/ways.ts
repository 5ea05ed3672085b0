/** The ways in which a request can be answered, as its schema has them: choices, words, numbers, forms. */
import { isObject, targetOf } from '../../contract/json-shape-problems.js';
import type { Json, JsonObject } from '../../contract/json.js';

export type Way =
  /** One answer, under a name of its own. */
  | { kind: 'choice'; label: string; value: Json }
  /** An object whose members are asked for, one after another; `fixed`: those that this choice decides. */
  | { kind: 'form'; label: string; fixed: JsonObject; fields: Field[] }
  | { kind: 'words' }
  | { kind: 'number' }
  | { kind: 'list'; items: Json }
  /** Whatever it is, it is written as JSON. */
  | { kind: 'json' };

export interface Field {
  name: string;
  schema: Json;
  isRequired: boolean;
}

const deepest = 6;
const mostWays = 100;
/** Alternatives within alternatives multiply. */
const mostSchemas = 1000;
const mostFields = 50;

/** `root`: where references of the schema lead. */
export function waysOf(schema: Json | undefined, root: Json | undefined = schema): Way[] {
  const ways = waysWithin(schema, { root, depth: 0, budget: { left: mostSchemas } }).slice(0, mostWays);
  const labels = new Set<string>();
  const hasWords = ways.some(({ kind }) => kind === 'words');
  return ways.filter((way) => {
    if (way.kind === 'form' && hasWords && Object.keys(way.fixed).length === 0) return false;
    if (!('label' in way)) return true;
    // A choice, and the same one with more to say.
    if (labels.has(way.label) && way.kind === 'form') way.label = `${way.label} with ${way.fields.map(({ name }) => name).join(', ')}`;
    const isNew = !labels.has(way.label);
    labels.add(way.label);
    return isNew;
  });
}

interface Place {
  root: Json | undefined;
  depth: number;
  /** Among others: what tells it from them has to be chosen first. */
  isAlternative?: boolean;
  budget: { left: number };
}

function waysWithin(given: Json | undefined, place: Place): Way[] {
  const { root, depth, budget } = place;
  const schema = resolved(given, root);
  if (!isObject(schema)) return [{ kind: 'words' }];
  if (depth > deepest || --budget.left < 0) return [{ kind: 'json' }];
  const within = { ...place, depth: depth + 1 };
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(alternatives))
    return alternatives.slice(0, mostWays).flatMap((part) => waysWithin(part, { ...within, isAlternative: true }));
  if (schema.const !== undefined) return [choice(schema.const)];
  if (Array.isArray(schema.enum)) return schema.enum.slice(0, mostWays).map(choice);
  if (Array.isArray(schema.type)) return schema.type.flatMap((type) => waysWithin({ ...schema, type }, within));
  switch (schema.type) {
    case 'string':
      return [{ kind: 'words' }];
    case 'number':
    case 'integer':
      return [{ kind: 'number' }];
    case 'boolean':
      return [
        { kind: 'choice', label: 'yes', value: true },
        { kind: 'choice', label: 'no', value: false },
      ];
    case 'null':
      return [{ kind: 'choice', label: 'none', value: null }];
    case 'array':
      return [isScalar(schema.items, within) ? { kind: 'list', items: schema.items as Json } : { kind: 'json' }];
    case 'object':
      return formsOf(schema, place);
    default:
      return isObject(schema.properties)
        ? formsOf(schema, place)
        : [Object.keys(schema).length === 0 ? { kind: 'words' } : { kind: 'json' }];
  }
}

/** Among alternatives a member that must be one of a few words tells forms apart: it becomes a form for each of these words. */
function formsOf(schema: JsonObject, { root, isAlternative }: Place): Way[] {
  const { properties, required } = schema;
  if (!isObject(properties) || Object.keys(properties).length > mostFields || schema.patternProperties !== undefined)
    return [{ kind: 'json' }];
  const needed = Array.isArray(required) ? required : [];
  const fields = Object.entries(properties).map(([name, part]): Field => ({ name, schema: part, isRequired: needed.includes(name) }));
  const fixed = Object.fromEntries(
    fields.flatMap(({ name, schema: part, isRequired }) => {
      const inner = resolved(part, root);
      return (isRequired || fields.length === 1) && isObject(inner) && inner.const !== undefined ? [[name, inner.const]] : [];
    }),
  ) as JsonObject;
  const open = fields.filter(({ name }) => !Object.hasOwn(fixed, name));
  const telling = Object.entries(fixed).find(([, value]) => typeof value === 'string' || value === true);
  if (telling) return [form(telling[1] === true ? telling[0] : String(telling[1]), fixed, open)];
  const chosen =
    isAlternative && open.find(({ schema: part, isRequired }) => isRequired && wordsIn(resolved(part, root)).length > 0 && open.length > 1);
  if (!chosen) return [form(typeof schema.title === 'string' ? schema.title : '', fixed, open)];
  return wordsIn(resolved(chosen.schema, root)).map((word) =>
    form(
      word,
      { ...fixed, [chosen.name]: word },
      open.filter((field) => field !== chosen),
    ),
  );
}

function form(label: string, fixed: JsonObject, fields: Field[]): Way {
  return fields.length === 0 ? { kind: 'choice', label, value: fixed } : { kind: 'form', label, fixed, fields };
}

function choice(value: Json): Way {
  return { kind: 'choice', label: typeof value === 'string' ? value : JSON.stringify(value), value };
}

function wordsIn(schema: Json | undefined): string[] {
  const words = isObject(schema) && Array.isArray(schema.enum) ? schema.enum : [];
  return words.length <= mostFields && words.every((word) => typeof word === 'string') ? (words as string[]) : [];
}

function isScalar(schema: Json | undefined, place: Place): boolean {
  return (
    isObject(resolved(schema, place.root)) && waysWithin(schema, place).every(({ kind }) => ['choice', 'words', 'number'].includes(kind))
  );
}

/** Where a reference leads; one that leads nowhere, or round in a circle, demands nothing. */
export function resolved(schema: Json | undefined, root: Json | undefined): Json | undefined {
  let at = schema;
  for (let hops = 0; isObject(at) && typeof at.$ref === 'string'; hops++) at = hops < 20 ? targetOf(root, at.$ref) : undefined;
  return at;
}
