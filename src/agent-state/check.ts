/** All that is wrong with a document, piece by piece: what has a million problems must not take the memory for all of them. */
import type { z } from 'zod';
import { pathText, problemsOfZod, type Path, type Problem } from '../contract/problems.js';
import type { ExactJson } from './document.js';
import { limits } from './limits.js';
import { isObject, type Members } from './members.js';
import { plain } from './plain.js';
import { contentSchema, documentSchema, entrySchema, messageSchema } from './schema.js';

export function problemsOfDocument(root: unknown): Problem[] {
  const check = new Check();
  check.document(root);
  return check.problems;
}

class Check {
  readonly problems: Problem[] = [];

  document(root: unknown): void {
    const data = isObject(root) ? root['data'] : undefined;
    if (!isObject(root) || !isObject(data)) return this.#fits(documentSchema, root, []);
    const { shell, items } = apart(data, 'conversationHistory');
    this.#fits(documentSchema, { ...root, data: shell }, []);
    this.#each(items, ['data', 'conversationHistory'], (entry, path) => this.#entry(entry, path));
  }

  #entry(entry: unknown, path: Path): void {
    if (!isObject(entry) || (entry['$type'] !== 'request' && entry['$type'] !== 'response')) return this.#fits(entrySchema, entry, path);
    const { shell, items } = apart(entry, 'messages');
    this.#fits(entrySchema, shell, path);
    this.#each(items, [...path, 'messages'], (message, at) => this.#message(message, at));
  }

  #message(message: unknown, path: Path): void {
    if (!isObject(message)) return this.#fits(messageSchema, message, path);
    const { shell, items } = apart(message, 'contents');
    this.#fits(messageSchema, shell, path);
    this.#each(items, [...path, 'contents'], (content, at) => this.#fits(contentSchema, content, at));
  }

  #each(items: unknown[], path: Path, check: (item: unknown, path: Path) => void): void {
    for (let i = 0; i < items.length && this.problems.length < limits.problems; i++) check(items[i], [...path, i]);
  }

  #fits(schema: z.ZodType, value: unknown, path: Path): void {
    const { error } = schema.safeParse(value);
    if (!error) return;
    const before = pathText(path);
    for (const problem of problemsOfZod(error, plain(value as ExactJson))) {
      const inside = problem.path === '' || problem.path.startsWith('[') || before === '' ? problem.path : `.${problem.path}`;
      this.problems.push({ ...problem, path: before + inside });
    }
  }
}

/** An object with an empty list, and what was in it. */
function apart(object: Members, name: string): { shell: Members; items: unknown[] } {
  const items = object[name];
  return Array.isArray(items) ? { shell: { ...object, [name]: [] }, items } : { shell: object, items: [] };
}
