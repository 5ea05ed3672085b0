/** Finds the JSON that a model wrote between its words. Linear in the text, whatever that is. */
import type { Json } from './json.js';
import { isTooDeep } from './plain-json.js';

/** Each failed attempt costs an error: what is written before this many of them is nobody's answer. */
const attempts = 1000;

/** The whole text; else the last fenced block; else the last object in it; else the last list. */
export function extractJson(text: string): Json | undefined {
  const whole = parse(text);
  if (whole !== undefined) return whole;
  const spans = topLevelSpans(text);
  return (
    lastOf(fencedBlocks(text), text) ??
    lastOf(
      spans.filter(({ start }) => text[start] === '{'),
      text,
    ) ??
    lastOf(
      spans.filter(({ start }) => text[start] === '['),
      text,
    )
  );
}

interface Span {
  start: number;
  end: number;
}

function lastOf(spans: Span[], text: string): Json | undefined {
  for (const { start, end } of spans.slice(-attempts).reverse()) {
    const value = parse(text.slice(start, end));
    if (typeof value === 'object' && value !== null) return value;
  }
  return undefined;
}

/** What nobody could write out again counts as unreadable: `JSON.stringify` would run out of stack. */
function parse(text: string): Json | undefined {
  try {
    const value = JSON.parse(text.trim()) as Json;
    return isTooDeep(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** No line of JSON begins with a fence, so a fence with words after it opens a block also where one is open. */
function fencedBlocks(text: string): Span[] {
  const blocks: Span[] = [];
  let start: number | undefined;
  for (let line = 0; line < text.length;) {
    const newline = text.indexOf('\n', line);
    const next = newline < 0 ? text.length : newline + 1;
    const words = text.slice(line, next).trim();
    if (words.startsWith('```')) {
      if (start !== undefined) blocks.push({ start, end: line });
      start = start !== undefined && words === '```' ? undefined : next;
    }
    line = next;
  }
  return blocks;
}

/** From each bracket in the prose to the one that closes it, with all that is between. One that is never closed hides what follows it. */
function topLevelSpans(text: string): Span[] {
  const spans: Span[] = [];
  const open: string[] = [];
  let start = 0;
  let noStringBefore = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"' && open.length > 0 && i >= noStringBefore) {
      const end = endOfString(text, i);
      // No string after all: the words up to the end of the line are looked at once more, as words, and never a third time.
      if (text[end] === '"') i = end;
      else noStringBefore = end;
    } else if (char === '{' || char === '[') {
      if (open.length === 0 && !begins(text, i)) continue;
      if (open.length === 0) start = i;
      open.push(char === '{' ? '}' : ']');
    } else if ((char === '}' || char === ']') && open.length > 0) {
      if (open.pop() !== char) open.length = 0;
      else if (open.length === 0) spans.push({ start, end: i + 1 });
    }
  }
  return spans;
}

/** Where the closing quote is, or the end of the line: a string of JSON holds none. */
function endOfString(text: string, quote: number): number {
  let i = quote + 1;
  while (i < text.length && text[i] !== '"' && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1;
  return i;
}

/** Is this bracket the beginning of JSON, and not of `{name}`, `[see below]` or `{{`? */
function begins(text: string, bracket: number): boolean {
  let i = bracket + 1;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  const next = text[i] ?? '';
  if (text[bracket] === '{') return next === '"' || next === '}';
  return (next !== '' && ']{["-0123456789'.includes(next)) || ['true', 'false', 'null'].some((word) => text.startsWith(word, i));
}
