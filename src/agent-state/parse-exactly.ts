import { numberOf } from './exact-number.js';

/**
 * Parses JSON with numbers that have to be kept digit by digit. They become strings that nothing else can begin with, and are numbers
 * again afterwards: a parser in JavaScript takes ten times as long, and thirty times the memory of a large text.
 *
 * @param exact Where these numbers stand: beginning, end, beginning, end …
 */
export function parseExactly(text: string, exact: readonly number[]): unknown {
  const mark = `${crypto.randomUUID()}:`;
  const pieces: string[] = [];
  let done = 0;
  for (let i = 0; i < exact.length; i += 2) {
    const [start, end] = [exact[i] as number, exact[i + 1] as number];
    pieces.push(text.slice(done, start), `"${mark}${text.slice(start, end)}"`);
    done = end;
  }
  return unmarked(JSON.parse(pieces.join('') + text.slice(done)), mark);
}

function unmarked(value: unknown, mark: string): unknown {
  if (typeof value === 'string') return value.startsWith(mark) ? numberOf(value.slice(mark.length)) : value;
  if (Array.isArray(value)) return value.map((item) => unmarked(item, mark));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value);
  if (members.some(([name]) => name.startsWith(mark))) throw new SyntaxError('A number stands where a name has to be');
  return Object.fromEntries(members.map(([name, member]) => [name, unmarked(member, mark)]));
}
