/** How the stand-in decides: it picks options and finds arguments by looking for their words in the text. */
import type { Json, JsonObject } from '../../contract/json.js';
import { contentWords, namesIn } from './reading.js';

/** An option and the words that speak for it. */
export interface Option {
  name: string;
  about: string;
}

/** The options that a text names: a list of `- name: when`, or "one of: a, b or c". */
export function optionsIn(text: string): Option[] {
  const items = [...text.matchAll(/^\s*[-*]\s+["'`*]*([\w][\w -]{0,40}?)["'`*]*\s*(?:[:–—]\s*(.*)|$)/gm)].map(
    ([, name = '', about = '']) => ({ name, about }),
  );
  if (items.length > 1) return items;
  const named =
    /\b(?:one of|between|options?|categories|choices|labels|either|into|as)\b(?: (?:these|the|following|are))*[\s:]+((?:["'`\w][^.\n?:;]*?)(?:,| or | and )[^.\n?:;]+)/i.exec(
      text,
    )?.[1] ?? '';
  const names = named
    .split(/,| or | and |\/|\|/)
    .map((name) => name.replace(/^[\s"'`(*]+|[\s"'`)*]+$/g, '').replace(/^(?:or|and|the|a|an) /, ''))
    .filter(Boolean);
  return names.length > 1 && names.every((name) => name.split(/\s+/).length <= 4) ? names.map((name) => ({ name, about: '' })) : [];
}

/** The option that has most words in common with the text; the first of equals. */
export function choose(options: Option[], text: string): Option | undefined {
  const heard = new Set(contentWords(text));
  const scores = options.map(({ name, about }) => (mentions(text, name) ? 3 : 2 * common(spaced(name), heard)) + common(about, heard));
  return options[scores.indexOf(Math.max(...scores))];
}

export interface OfferedTool {
  name: string;
  description: string;
  parameters: JsonObject;
}

/** The calls that the words clearly ask for: by the name of a tool or by what it is for, where all its arguments can be found. */
export function callsFor(
  tools: OfferedTool[],
  ask: string,
  instructions: string,
  document: string,
): { name: string; arguments: JsonObject }[] {
  const heard = new Set(contentWords(ask));
  return tools.flatMap((tool) => {
    const byName = isNamedIn(tool, ask);
    const told = new RegExp(`\\b${escaped(tool.name)}\\b`).test(`${instructions}\n${ask}`);
    if (!byName && !told && common(tool.description, heard) < 2) return [];
    const found = argumentsFor(tool.parameters, ask, document);
    return found ? [{ name: tool.name, arguments: found }] : [];
  });
}

/** Every word that sets its name apart is said. */
export function isNamedIn(tool: OfferedTool, ask: string): boolean {
  const heard = new Set(contentWords(ask));
  const nameWords = contentWords(spaced(tool.name)).filter((word) => !genericWords.has(word));
  return nameWords.length > 0 && nameWords.every((word) => heard.has(word));
}

const genericWords = new Set('get set find fetch lookup look search list create run call tool function data info'.split(' '));

/** `undefined` when one that is required cannot be found. */
export function argumentsFor(schema: JsonObject, ask: string, document: string): JsonObject | undefined {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const numbers = [...ask.matchAll(/-?\d+(?:\.\d+)?/g)].map(([digits]) => Number(digits));
  const found: JsonObject = {};
  for (const [name, property] of Object.entries(objectOf(schema['properties']))) {
    const value = argumentFor(name, objectOf(property), { ask, document, numbers });
    if (value !== undefined) found[name] = value;
    else if (required.includes(name)) return undefined;
  }
  return found;
}

interface Sources {
  ask: string;
  document: string;
  /** Numbers of the ask that are not taken yet, in order. */
  numbers: number[];
}

function argumentFor(name: string, schema: JsonObject, sources: Sources): Json | undefined {
  const { ask, numbers } = sources;
  if (schema['const'] !== undefined) return schema['const'];
  const words = spaced(name).toLowerCase();
  if (Array.isArray(schema['enum'])) return schema['enum'].find((option) => typeof option === 'string' && mentions(ask, option));
  switch (schema['type']) {
    case 'number':
    case 'integer': {
      const named = Number(namedIn(ask, words) ?? NaN);
      const number = Number.isNaN(named) ? numbers.shift() : named;
      return number !== undefined && schema['type'] === 'integer' ? Math.round(number) : number;
    }
    case 'boolean':
      return mentions(ask, words) || undefined;
    case 'string':
      return stringFor(words, sources);
    default:
      return undefined;
  }
}

function stringFor(words: string, { ask, document }: Sources): string | undefined {
  if (/\b(text|document|content|body|input)\b/.test(words)) return document || ask;
  if (/\b(query|question|search|topic|request|message|prompt|expression)\b/.test(words)) return ask.trim();
  if (/\bemail\b/.test(words)) return /[\w.+-]+@[\w-]+\.[\w.]+/.exec(ask)?.[0];
  if (/\b(url|link|uri)\b/.test(words)) return /https?:\/\/[^\s"'<>)]+/.exec(ask)?.[0];
  if (/\b(date|day)\b/.test(words)) return dateShape.exec(ask)?.[0];
  const named = namedIn(ask, words) ?? /["“']([^"”']{1,200})["”']/.exec(ask)?.[1];
  if (/\b(id|number|code|key|order|reference)\b/.test(words)) return named ?? /\b[\w-]*\d[\w-]*\b/.exec(ask)?.[0];
  return named ?? placeShape.exec(ask)?.[1] ?? namesIn([ask])[0] ?? lastShape.exec(ask)?.[1];
}

const dateShape = /\d{4}-\d{2}-\d{2}|\b(?:today|tomorrow|yesterday|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b/i;
/** "in New York" */
const placeShape = /\b(?:in|for|at|of|to|from|about|with)\s+(\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)*)/u;
/** "in oslo?" */
const lastShape = /\b(?:in|for|at|of)\s+([\p{L}'-]{3,})\s*[?.!]?\s*$/u;

/** "city: Oslo", "from Oslo", "id 7" */
function namedIn(ask: string, words: string): string | undefined {
  const name = escaped(words).replace(/\s+/g, '[ _-]?');
  const value = '["\'“]?((?:\\p{Lu}|\\d|-\\d)[\\p{L}\\d.@-]*[\\p{L}\\d]|\\d)';
  return (
    new RegExp(`\\b${name}\\b\\s*(?:is|=|:|#)?\\s*${value}`, 'u').exec(ask)?.[1] ??
    new RegExp(`\\b${name}\\s*[=:]\\s*["'“]?([\\w.@-]+)`, 'i').exec(ask)?.[1]
  );
}

/** How many different words of `text` are among `words`. */
export function common(text: string, words: ReadonlySet<string>): number {
  return new Set(contentWords(text).filter((word) => words.has(word))).size;
}

/** `orderId` → `order Id` */
export function spaced(name: string): string {
  return name.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ');
}

export function mentions(text: string, words: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped(words)}(?![\\p{L}\\p{N}])`, 'iu').test(text);
}

export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
