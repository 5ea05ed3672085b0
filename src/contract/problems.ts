/** What is wrong with a document, all of it at once, in words that a person can act on. */
import type { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import { fail, type FailureType } from './failure.js';

export interface Problem {
  /** Where: `agents[1].name`; empty for the document itself. */
  path: string;
  /** What: goes on where the path ends, `must be a name, not 42`. */
  message: string;
}

export type Path = readonly PropertyKey[];

/** How many problems a message names, and how many the details carry: a failure has to travel as well. */
const named = 20;
const carried = 100;

/** One failure for all problems. `details` hold the list of them, as data. */
export function problemsFailure(subject: string, problems: readonly Problem[], type: FailureType = 'Input.Invalid'): ApplicationFailure {
  const lines = problems.slice(0, named).map(({ path, message }) => `- ${path === '' ? 'it' : `${path}:`} ${message}`);
  if (problems.length > named) lines.push(`- and ${problems.length - named} more`);
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return fail(type, `${subject} has ${count}:\n${lines.join('\n')}`, { details: [problems.slice(0, carried)] });
}

/** The first problem of each place. */
export function distinct(problems: readonly Problem[]): Problem[] {
  const paths = new Set<string>();
  return problems.filter(({ path }) => !paths.has(path) && paths.add(path));
}

/**
 * Issues of zod in our words. Schemas bring the requirement as their error (`must be …`); an object's error for unknown
 * members is the list of known ones, separated by commas.
 */
export function problemsOfZod(error: z.core.$ZodError, value: unknown): Problem[] {
  return error.issues.flatMap((issue) => describe(issue, [], value));
}

function describe(issue: z.core.$ZodIssue, base: Path, document: unknown): Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message === '' ? [] : issue.message.split(',');
    const unknown = (key: string, i: number) => `is not known here${i < carried ? `; ${hint(key, known)}` : ''}`;
    return issue.keys.map((key, i) => ({ path: pathText([...path, key]), message: unknown(key, i) }));
  }
  if (issue.code === 'invalid_union') {
    // The alternative whose kind of value fits is the one that was meant.
    const meant = issue.errors.find((issues) => !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0));
    if (meant) return meant.flatMap((inner) => describe(inner, path, document));
  }
  const given = valueAt(document, path);
  const problem = given === undefined ? `is missing; it ${issue.message}` : `${issue.message}, not ${show(given)}`;
  return [{ path: pathText(path), message: problem }];
}

/** `did you mean "agents"?`, or the names there are. */
export function hint(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  if (known.length === 0) return 'there are none';
  return `known: ${known.slice(0, named).join(', ')}${known.length > named ? ', …' : ''}`;
}

/** The known name that was probably meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.max(candidate.length < 4 ? 1 : 2, Math.floor(candidate.length / 3)) && distance < (best?.distance ?? Infinity))
      best = { name: candidate, distance };
  }
  return best?.name;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const [left = 0, above = 0, corner = 0] = [next[j - 1], row[j], row[j - 1]];
      next.push(Math.min(left + 1, above + 1, corner + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `agents[1].name` */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    const word = String(key);
    if (typeof key === 'number') text += `[${word}]`;
    else if (/^[\w$-]{1,80}$/.test(word)) text += text === '' ? word : `.${word}`;
    else text += `[${show(word)}]`;
  }
  return text;
}

/** A value as a message can hold it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
