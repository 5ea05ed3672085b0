/** Takes an answer line by line, as its schema wants it: a choice by number or word, a form field by field, words as they are, else JSON. */
import { problemsOfJson } from '../../contract/check-json.js';
import { isObject } from '../../contract/json-shape-problems.js';
import type { Json, JsonObject } from '../../contract/json.js';
import { short } from '../render/words.js';
import { resolved, waysOf, type Field, type Way } from './ways.js';

/** Whoever is asked. */
export interface Person {
  /** Tells something about the next line. */
  tell(text: string): void;
  /** The next line. `choices`: words that may be said with a slash. @throws when the person has left, or need not answer any more */
  line(prompt: string, choices?: readonly string[]): Promise<string>;
}

const shownChoices = 30;
const deepest = 3;

/** An answer that fits. */
export async function takeAnswer(person: Person, schema: JsonObject | undefined): Promise<Json> {
  for (;;) {
    const answer = await take(person, { schema, root: schema, label: '', isRequired: true, depth: 0 });
    const problems = answer === undefined || !schema ? [] : problemsOfJson(answer, schema);
    if (answer !== undefined && problems.length === 0) return answer;
    person.tell(problems.map(({ path, message }) => `${path || 'The answer'} ${message}.`).join('\n') || 'Something has to be answered.');
  }
}

interface Asked {
  schema: Json | undefined;
  root: Json | undefined;
  /** `address.city`; empty: the answer itself. */
  label: string;
  isRequired: boolean;
  depth: number;
}

/** `undefined`: it is left out. */
async function take(person: Person, asked: Asked): Promise<Json | undefined> {
  const ways = asked.depth > deepest ? [{ kind: 'json' as const }] : waysOf(asked.schema, asked.root);
  const [only] = ways;
  if (only?.kind === 'choice' && ways.length === 1 && asked.label !== '' && asked.isRequired) return only.value;
  if (only?.kind === 'form' && ways.length === 1 && Object.keys(only.fixed).length === 0) return await fillIn(person, only, asked);
  const prompt = introduce(person, ways, asked);
  for (;;) {
    const line = await person.line(prompt, slashed(ways));
    const text = line.trim();
    if (text === '' && !asked.isRequired) return defaultOf(asked);
    const read = readLine(text, line, ways, asked);
    if ('answer' in read) return read.answer;
    if ('list' in read) return await takeList(person, read.first, read.list, asked);
    if ('form' in read) return await fillIn(person, read.form, asked, read.first);
    person.tell(read.problem);
  }
}

type Read = { answer: Json } | { form: Form; first?: string } | { list: Json; first: string } | { problem: string };
type Form = Way & { kind: 'form' };

function readLine(text: string, line: string, ways: readonly Way[], { schema, root }: Asked): Read {
  const has = (kind: Way['kind']) => ways.some((way) => way.kind === kind);
  const json = /^[[{]/.test(text) || (has('json') && text !== '') ? asJson(text) : undefined;
  if (json !== undefined && problemsIn(json, schema, root).length === 0) return { answer: json };
  const chosen = has('words') ? (/^\/(?!\/)/.test(text) ? choose(text, ways, true) : undefined) : choose(text, ways, false);
  if (chosen && !('problem' in chosen && (has('number') || has('list') || has('json')))) return chosen;
  // Two slashes say a text that begins with one.
  if (has('words')) return text === '' ? { problem: 'Say something.' } : { answer: line.replace(/^\s*\/\//, '/') };
  if (has('number') && text !== '' && Number.isFinite(Number(text))) return { answer: Number(text) };
  const list = ways.find((way) => way.kind === 'list');
  if (list) return { list: list.items, first: line };
  if (has('json')) return { problem: json === undefined ? 'This is no JSON.' : problemsIn(json, schema, root).join('; ') };
  return has('number') ? { problem: 'It must be a number.' } : (chosen ?? { problem: 'Something has to be answered.' });
}

/** By its word, by enough of its beginning, or by its number; `revise: shorter` fills the first field in. */
function choose(typed: string, ways: readonly Way[], isSlashed: boolean): Read {
  const text = typed.replace(/^\//, '');
  const labelled = ways.filter((way) => way.kind === 'choice' || way.kind === 'form');
  const exact =
    labelled.find((way) => way.label === text || (way.kind === 'choice' && JSON.stringify(way.value) === text)) ??
    labelled.find(({ label }) => label.toLowerCase() === text.toLowerCase());
  if (exact) return chosenAs(exact);
  const [, word = '', rest = ''] = /^([^:\s]+)\s*:\s*(.+)$/s.exec(text) ?? [];
  const telling = labelled.find(
    (way) => way.kind === 'form' && [way.label.toLowerCase(), way.label.toLowerCase().split(' with ')[0]].includes(word.toLowerCase()),
  );
  if (telling?.kind === 'form') return { form: telling, first: rest };
  const numbered = isSlashed || !/^\d+$/.test(text) ? undefined : labelled[Number(text) - 1];
  if (numbered) return chosenAs(numbered);
  const near = text === '' ? [] : labelled.filter(({ label }) => label.toLowerCase().startsWith(text.toLowerCase()));
  const [nearest] = near;
  if (nearest && near.every(({ label }) => label.startsWith(nearest.label))) return chosenAs(nearest);
  const among = (near.length > 1 ? near : labelled).slice(0, shownChoices).map(({ label }) => short(label, 80));
  return { problem: `It must be one of: ${among.join(', ')}.` };
}

function chosenAs(way: Way & { kind: 'choice' | 'form' }): Read {
  return way.kind === 'choice' ? { answer: way.value } : { form: way };
}

/** What can be answered, told before it is asked. Returns the prompt. */
function introduce(person: Person, ways: readonly Way[], { schema, root, label, isRequired }: Asked): string {
  const { description, default: otherwise } = objectOf(resolved(schema, root));
  if (label !== '' && typeof description === 'string') person.tell(short(description, 500));
  const labelled = ways.filter((way) => way.kind === 'choice' || way.kind === 'form');
  const rest = ways.filter((way) => way.kind !== 'choice' && way.kind !== 'form');
  const isYesNo = rest.length === 0 && labelled.map((way) => way.label).join() === 'yes,no';
  if (rest.some(({ kind }) => kind === 'words')) {
    const slashes = slashed(ways);
    if (slashes.length > 0) person.tell(`In your own words, or ${slashes.map((word) => `/${word}`).join(', ')}.`);
  } else if (!isYesNo) {
    for (const [i, way] of labelled.slice(0, shownChoices).entries())
      person.tell(`  ${i + 1}  ${short(way.label, 200)}${way.kind === 'form' ? ' …' : ''}`);
    if (labelled.length > shownChoices) person.tell(`  … and ${labelled.length - shownChoices} more`);
  }
  if (rest.some(({ kind }) => kind === 'json')) person.tell(`As JSON${schema ? `: ${short(JSON.stringify(schema), 400)}` : ''}`);
  if (rest.some(({ kind }) => kind === 'list')) person.tell('One a line; an empty line ends.');
  const what = label || 'answer';
  const hint = isYesNo ? ' (yes/no)' : '';
  const leave = isRequired ? '' : otherwise === undefined ? ' (Enter leaves it out)' : ` (Enter: ${short(JSON.stringify(otherwise), 60)})`;
  return `${what}${hint}${leave}: `;
}

async function fillIn(person: Person, { fixed, fields }: Form, { root, label, depth }: Asked, first?: string): Promise<Json> {
  const value: JsonObject = { ...fixed };
  const told = first === undefined ? undefined : fields.find((field) => takesWords(field, root));
  for (const field of fields) {
    const { name, schema, isRequired } = field;
    // Whoever has said it in one line means nothing else by it.
    if (told && field !== told && !isRequired) continue;
    const asked = { schema, root, label: label === '' ? name : `${label}.${name}`, isRequired, depth: depth + 1 };
    const answer = field === told ? first : await takeField(person, asked);
    if (answer !== undefined) Object.defineProperty(value, name, { value: answer, enumerable: true, writable: true, configurable: true });
  }
  return value;
}

/** Asked again at once when it does not fit. */
async function takeField(person: Person, asked: Asked): Promise<Json | undefined> {
  for (;;) {
    const answer = await take(person, asked);
    const problems = answer === undefined ? [] : problemsIn(answer, asked.schema, asked.root);
    if (problems.length === 0) return answer;
    person.tell(problems.join('; '));
  }
}

async function takeList(person: Person, first: string, items: Json, asked: Asked): Promise<Json> {
  const list: Json[] = [];
  for (let line = first; line.trim() !== ''; line = await person.line(`${asked.label || 'answer'}: `)) {
    const read = readLine(line.trim(), line, waysOf(items, asked.root), { ...asked, schema: items });
    if ('answer' in read) list.push(read.answer);
    else person.tell('problem' in read ? read.problem : 'It must be a single value.');
  }
  return list;
}

function takesWords({ schema }: Field, root: Json | undefined): boolean {
  return waysOf(schema, root).some(({ kind }) => kind === 'words');
}

/** Words that stand for an answer where any words are one themselves. */
function slashed(ways: readonly Way[]): string[] {
  return ways.flatMap((way) => (way.kind === 'choice' || way.kind === 'form' ? way.label : []));
}

/** With the definitions that it may refer to. */
function problemsIn(value: Json, schema: Json | undefined, root: Json | undefined): string[] {
  const part = resolved(schema, root);
  if (!isObject(part)) return [];
  const { $defs, definitions } = objectOf(root);
  const whole = { ...($defs !== undefined && { $defs }), ...(definitions !== undefined && { definitions }), ...part };
  return problemsOfJson(value, whole).map(({ path, message }) => `${path && `${path} `}${message}`);
}

function defaultOf({ schema, root }: Asked): Json | undefined {
  return objectOf(resolved(schema, root)).default;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function asJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
