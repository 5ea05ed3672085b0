import { parse } from 'lossless-json';
import type { Problem } from '../contract/problems.js';

/** Of a longer text only JavaScript's own words are given: the other parser takes sixty bytes for each of its characters. */
const longest = 4 * 1024 * 1024;

/** `is not JSON at line 3, column 14: …` */
export function syntaxProblem(text: string, error: SyntaxError): Problem {
  const words = text.length > longest ? error.message : (messageOf(text) ?? error.message);
  const [, what = words, position] = /^(.*?),? (?:in JSON )?at position (\d+)/s.exec(words) ?? [];
  const shown = what.length > 200 ? `${what.slice(0, 199)}…` : what;
  return { path: '', message: `is not JSON${position === undefined ? '' : placeOf(text, Number(position))}: ${shown}` };
}

/** JavaScript's own words are others in every release, and often without a position. */
function messageOf(text: string): string | undefined {
  try {
    parse(text, null, { onDuplicateKey: ({ newValue }) => newValue });
    return undefined;
  } catch (error) {
    return error instanceof SyntaxError ? error.message : undefined;
  }
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  return ` at line ${before.split('\n').length}, column ${before.length - before.lastIndexOf('\n')}`;
}
