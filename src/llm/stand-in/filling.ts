/** How the stand-in fills a JSON schema: with what the text says beside the names of its properties. */
import type { Json, JsonObject } from '../../contract/json.js';
import { choose, common, objectOf, spaced } from './deciding.js';
import { capitalised, contentWords, keySentences, read, sentencesOf } from './reading.js';

/** A value of the schema with what the text says. */
export function fill(schema: JsonObject, text: string): Json {
  return new Filler(schema, text).value(schema, '', 0);
}

const numberShape = /\d+(?:,\d{3})*(?:\.\d+)?/g;

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
    this.numbers = [...text.matchAll(numberShape)].slice(0, 100).map(([digits]) => Number(digits.replaceAll(',', '')));
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

  /** The number nearest to the property's name, else the next one that nothing has used yet. */
  private number(schema: JsonObject, name: string, whole: boolean): number {
    const value = this.numberBeside(contentWords(spaced(name))) ?? this.numbers[this.used++] ?? 0;
    const step = whole ? 1 : 0;
    const low = Math.max(numberOf(schema['minimum'], -Infinity), numberOf(schema['exclusiveMinimum'], -Infinity) + step);
    const high = Math.min(numberOf(schema['maximum'], Infinity), numberOf(schema['exclusiveMaximum'], Infinity) - step);
    return Math.min(Math.max(whole ? Math.round(value) : value, low), high);
  }

  private numberBeside(words: string[]): number | undefined {
    const sentence = sentencesOf(this.text).find((one) => /\d/.test(one) && common(one, new Set(words)) > 0) ?? '';
    const at = Math.max(...words.map((word) => sentence.toLowerCase().indexOf(word)));
    // What comes before a word counts it: "61,000 passengers in 2023".
    const distance = (index: number) => (index <= at ? at - index : 2 * (index - at) + 20);
    const [nearest] = [...sentence.matchAll(numberShape)].sort((a, b) => distance(a.index) - distance(b.index));
    return nearest && Number(nearest[0].replaceAll(',', ''));
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
    const year = /\b(?:1\d|20)\d{2}\b/.exec(this.text)?.[0] ?? '1970';
    const date = /\b\d{4}-\d{2}-\d{2}\b/.exec(this.text)?.[0] ?? `${year}-01-01`;
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

function numberOf(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
