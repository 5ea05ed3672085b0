/** A value that somebody else made, as plain JSON of our own: checked once, and theirs to change afterwards. */
import { isLosslessNumber } from 'lossless-json';
import { pathText, show, type Path, type Problem } from '../contract/problems.js';
import { isNumber, numberOf } from './exact-number.js';
import { limits } from './limits.js';
import { refusal, tooLarge } from './refuse.js';

export function copyValue(value: unknown): unknown {
  const copy = new Copy();
  let result: unknown;
  try {
    result = copy.of(value, []);
  } catch (error) {
    if (error instanceof TooLarge) throw tooLarge(error.message);
    // What comes with accessors of its own may throw anything.
    copy.problems.push({ path: '', message: `cannot be read: ${error instanceof Error ? error.message : show(error)}` });
  }
  if (copy.problems.length > 0) throw refusal(copy.problems);
  return result;
}

class TooLarge extends Error {}

/** A part that has been copied: one that is used again, and again in itself, would otherwise unfold for ever. */
interface Part {
  copy: unknown;
  size: number;
  values: number;
  height: number;
}

class Copy {
  readonly problems: Problem[] = [];
  readonly #open = new Set<unknown>();
  readonly #parts = new Map<unknown, Part>();
  /** What the text has at least. */
  #size = 0;
  #values = 0;
  #deepest = 0;

  /** Deep recursion is no danger: what is nested too deep, or holds itself, is not entered. */
  of(value: unknown, path: Path): unknown {
    this.#grow(typeof value === 'string' ? value.length + 2 : 1, 1);
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
    if (isLosslessNumber(value) && typeof value.value === 'string' && isNumber(value.value)) return numberOf(value.value);
    const part = this.#parts.get(value);
    const problem = this.#problemOf(value, part?.height ?? 1);
    if (problem !== undefined) return this.#refuse(path, problem);
    if (part) this.#grow(part.size, part.values);
    return (part ?? this.#part(value as object, path)).copy;
  }

  #part(value: object, path: Path): Part {
    const [size, values, deepest] = [this.#size, this.#values, this.#deepest];
    this.#open.add(value);
    this.#deepest = this.#open.size;
    const copy = Array.isArray(value) ? this.#list(value, path) : this.#object(value, path);
    this.#open.delete(value);
    const part = { copy, size: this.#size - size, values: this.#values - values, height: this.#deepest - this.#open.size };
    this.#deepest = Math.max(deepest, this.#deepest);
    this.#parts.set(value, part);
    return part;
  }

  #refuse(path: Path, message: string): void {
    if (this.problems.length < limits.problems) this.problems.push({ path: pathText(path), message });
  }

  #grow(size: number, values: number): void {
    this.#size += size;
    this.#values += values;
    if (this.#size > limits.text) throw new TooLarge(`its text would have more than ${limits.text} characters`);
    if (this.#values > limits.values) throw new TooLarge(`it has more than ${limits.values} values`);
  }

  #list(list: unknown[], path: Path): unknown[] {
    const copy: unknown[] = [];
    // Not `map`, which leaves holes out.
    for (let i = 0; i < list.length; i++) copy.push(this.of(list[i], [...path, i]));
    return copy;
  }

  #object(object: object, path: Path): object {
    const members = Object.entries(object).map(([name, value]) => {
      this.#grow(name.length + 3, 0);
      return [name, this.of(value, [...path, name])] as const;
    });
    // Own members, whatever they are called: `__proto__` too.
    return Object.fromEntries(members);
  }

  #problemOf(value: unknown, height: number): string | undefined {
    if (typeof value === 'number') return `must be a number that JSON can hold, not ${value}`;
    if (typeof value !== 'object' || value === null)
      return `must be JSON, not ${typeof value === 'undefined' ? value : `a ${typeof value}`}`;
    if (this.#open.has(value)) return 'holds itself';
    if (this.#open.size + height > limits.depth) return `is nested deeper than ${limits.depth} levels`;
    return Array.isArray(value) || isPlain(value) ? undefined : `must be plain JSON, not ${nameOf(value)}`;
  }
}

/** Of whichever realm: its prototype is the last one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: { name?: unknown } };
  return typeof constructor?.name === 'string' && constructor.name !== '' ? `a ${constructor.name}` : 'an instance of a class';
}
