/** How the stand-in decides: it picks options, fills schemas and finds arguments by looking for their words in the text. */
import type { Json, JsonObject } from '../../contract/json.js';
import { capitalised, contentWords, keySentences, namesIn, read, sentencesOf } from './reading.js';

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
  const scores = options.map(({ name, about }) => 2 * common(spaced(name), heard) + common(about, heard));
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
    const nameWords = contentWords(spaced(tool.name)).filter((word) => !genericWords.has(word));
    const byName = nameWords.length > 0 && nameWords.every((word) => heard.has(word));
    const told = new RegExp(`\\b${escaped(tool.name)}\\b`).test(`${instructions}\n${ask}`);
    if (!byName && !told && common(tool.description, heard) < 2) return [];
    const found = argumentsFor(tool.parameters, ask, document);
    return found ? [{ name: tool.name, arguments: found }] : [];
  });
}

/** A value of the schema with what the text says. */
export function fill(schema: JsonObject, text: string): Json {
  return new Filler(schema, text).value(schema, '', 0);
}

const genericWords = new Set('get set find fetch lookup look search list create run call tool function data info'.split(' '));

function argumentsFor(schema: JsonObject, ask: string, document: string): JsonObject | undefined {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const found: JsonObject = {};
  for (const [name, property] of Object.entries(objectOf(schema['properties']))) {
    const value = argumentFor(name, objectOf(property), ask, document);
    if (value !== undefined) found[name] = value;
    else if (required.includes(name)) return undefined;
  }
  return found;
}

function argumentFor(name: string, schema: JsonObject, ask: string, document: string): Json | undefined {
  if (schema['const'] !== undefined) return schema['const'];
  const words = spaced(name).toLowerCase();
  const named = new RegExp(`\\b${escaped(words).replace(/\s+/g, '[ _-]?')}\\b\\s*(?:is|=|:|#)?\\s*["'“]?([\\w.@-]+)`, 'i').exec(ask)?.[1];
  if (Array.isArray(schema['enum']))
    return schema['enum'].find((option) => typeof option === 'string' && new RegExp(`\\b${escaped(option)}\\b`, 'i').test(ask));
  switch (schema['type']) {
    case 'number':
    case 'integer': {
      const number = Number(/-?\d+(?:\.\d+)?/.exec(named ?? '')?.[0] ?? /-?\d+(?:\.\d+)?/.exec(ask)?.[0] ?? NaN);
      return Number.isNaN(number) ? undefined : schema['type'] === 'integer' ? Math.round(number) : number;
    }
    case 'boolean':
      return new RegExp(`\\b${escaped(words)}\\b`, 'i').test(ask) ? true : undefined;
    case 'string':
      return stringFor(words, named, ask, document);
    default:
      return undefined;
  }
}

function stringFor(words: string, named: string | undefined, ask: string, document: string): string | undefined {
  if (/\b(text|document|content|body|input)\b/.test(words)) return document || ask;
  if (/\b(query|question|search|topic|request|message|prompt|expression)\b/.test(words)) return ask.trim();
  if (/\bemail\b/.test(words)) return /[\w.+-]+@[\w-]+\.[\w.]+/.exec(ask)?.[0];
  if (/\b(url|link|uri)\b/.test(words)) return /https?:\/\/[^\s"'<>)]+/.exec(ask)?.[0];
  if (/\b(date|day)\b/.test(words))
    return /\d{4}-\d{2}-\d{2}|\b(?:today|tomorrow|yesterday|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b/i.exec(ask)?.[0];
  const quoted = /["“']([^"”']{1,200})["”']/.exec(ask)?.[1];
  if (/\b(id|number|code|key|order|reference)\b/.test(words)) return quoted ?? /\b[\w-]*\d[\w-]*\b/.exec(ask)?.[0];
  return (
    quoted ??
    /\b(?:in|for|at|of|to|from|about|with)\s+(\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)*)/u.exec(ask)?.[1] ??
    namesIn([ask])[0] ??
    (named && !contentWords(named).length ? undefined : named)
  );
}

/** Walks a JSON schema. What the text does not say becomes the plainest valid value. */
class Filler {
  private readonly reading;
  private readonly numbers: number[];
  private used = 0;

  constructor(
    private readonly root: JsonObject,
    private readonly text: string,
  ) {
    this.reading = read(text);
    this.numbers = [...text.matchAll(/\d+(?:,\d{3})*(?:\.\d+)?/g)].slice(0, 100).map(([digits]) => Number(digits.replaceAll(',', '')));
  }

  value(schema: JsonObject, name: string, depth: number): Json {
    if (depth > 8) return null;
    if (typeof schema['$ref'] === 'string') return this.value(this.resolve(schema['$ref']), name, depth + 1);
    if (schema['const'] !== undefined) return schema['const'];
    if (Array.isArray(schema['enum'])) return this.option(schema['enum']);
    const variants = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
    if (Array.isArray(variants)) return this.value(objectOf(variants.find((one) => objectOf(one)['type'] !== 'null')), name, depth + 1);
    const type = Array.isArray(schema['type']) ? schema['type'].find((one) => one !== 'null') : schema['type'];
    if (type === 'object' || schema['properties']) return this.object(schema, depth);
    if (type === 'array') return this.array(schema, name, depth);
    if (type === 'number' || type === 'integer') return this.number(schema, name, type === 'integer');
    if (type === 'boolean') return this.claim(name);
    return type === 'null' ? null : this.string(schema, spaced(name).toLowerCase());
  }

  private object(schema: JsonObject, depth: number): JsonObject {
    return Object.fromEntries(
      Object.entries(objectOf(schema['properties'])).map(([name, property]) => [name, this.value(objectOf(property), name, depth + 1)]),
    );
  }

  private array(schema: JsonObject, name: string, depth: number): Json[] {
    const items = objectOf(schema['items']);
    const count = Math.min(Math.max(numberOf(schema['minItems'], 0), 3), numberOf(schema['maxItems'], Infinity));
    if (items['type'] !== 'string' || items['enum'])
      return Array.from({ length: Math.max(numberOf(schema['minItems'], 0), Math.min(count, 1)) }, () =>
        this.value(items, name, depth + 1),
      );
    const { names, keywords, sentences } = this.reading;
    const words = spaced(name).toLowerCase();
    const sources = /name|people|person|author|compan|place/.test(words)
      ? [names, keywords]
      : /tag|keyword|topic|theme|categor|label/.test(words)
        ? [keywords]
        : [keySentences(sentences, count).map(({ text }) => text), keywords];
    const found = sources.find((source) => source.length > 0) ?? [];
    const values: Json[] = found.slice(0, count);
    while (values.length < numberOf(schema['minItems'], 0)) values.push(this.string(items, words));
    return values;
  }

  /** The number beside the property's name, else the next one that nothing has used yet. */
  private number(schema: JsonObject, name: string, whole: boolean): number {
    const words = new Set(contentWords(spaced(name)));
    const sentence = sentencesOf(this.text).find((one) => /\d/.test(one) && common(one, words) > 0);
    const near = /\d+(?:,\d{3})*(?:\.\d+)?/.exec(sentence ?? '')?.[0];
    const value = near === undefined ? (this.numbers[this.used++] ?? 0) : Number(near.replaceAll(',', ''));
    const step = whole ? 1 : 0;
    const low = Math.max(numberOf(schema['minimum'], -Infinity), numberOf(schema['exclusiveMinimum'], -Infinity) + step);
    const high = Math.min(numberOf(schema['maximum'], Infinity), numberOf(schema['exclusiveMaximum'], Infinity) - step);
    return Math.min(Math.max(whole ? Math.round(value) : value, low), high);
  }

  private claim(name: string): boolean {
    const words = contentWords(spaced(name)).filter((word) => word !== 'is' && word !== 'has');
    return sentencesOf(this.text).some(
      (sentence) => words.some((word) => sentence.toLowerCase().includes(word)) && !/\b(?:no|not|never|none|without|n't)\b/i.test(sentence),
    );
  }

  private string(schema: JsonObject, words: string): string {
    const value = this.words(schema, words);
    const padded = value.padEnd(numberOf(schema['minLength'], 0), '.');
    return padded.slice(0, numberOf(schema['maxLength'], padded.length));
  }

  private words(schema: JsonObject, words: string): string {
    const { title, names, keywords, sentences } = this.reading;
    const date = /\d{4}-\d{2}-\d{2}/.exec(this.text)?.[0] ?? '1970-01-01';
    if (schema['format'] === 'date-time') return `${date}T00:00:00Z`;
    if (schema['format'] === 'date' || /\bdate\b/.test(words)) return date;
    if (schema['format'] === 'email') return /[\w.+-]+@[\w-]+\.[\w.]+/.exec(this.text)?.[0] ?? 'nobody@example.com';
    if (schema['format'] === 'uri') return /https?:\/\/[^\s"'<>)]+/.exec(this.text)?.[0] ?? 'https://example.com/';
    if (/title|subject|headline|heading/.test(words)) return title;
    if (/\b(name|author|person|who|company|place|city|country)\b/.test(words)) return names[0] ?? capitalised(keywords[0] ?? '');
    if (/topic|category|keyword|tag|label|theme/.test(words)) return keywords[0] ?? '';
    const wanted = new Set(contentWords(words));
    const about = sentences.find(({ text }) => common(text, wanted) > 0);
    return (about ?? keySentences(sentences, 1)[0])?.text ?? this.text.trim().slice(0, 200);
  }

  private option(options: Json[]): Json {
    const named = options.filter((option) => typeof option === 'string').map((name) => ({ name, about: '' }));
    return choose(named, this.text)?.name ?? options[0] ?? null;
  }

  private resolve(reference: string): JsonObject {
    return reference
      .replace(/^#\/?/, '')
      .split('/')
      .filter(Boolean)
      .reduce<JsonObject>((at, key) => objectOf(at[key]), this.root);
  }
}

/** How many different words of `text` are among `words`. */
function common(text: string, words: ReadonlySet<string>): number {
  return new Set(contentWords(text).filter((word) => words.has(word))).size;
}

/** `orderId` → `order Id` */
function spaced(name: string): string {
  return name.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function numberOf(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
