/** One look over a text of JSON, from left to right, without parsing it: text that is no JSON may give any answer. */
import { isExact } from './exact-number.js';
import { limits } from './limits.js';

export interface Scan {
  depth: number;
  values: number;
  /** Where the numbers stand that JavaScript would round or write otherwise: beginning, end, beginning, end … */
  exact: number[];
}

const [quote, backslash, minus, zero, nine] = [0x22, 0x5c, 0x2d, 0x30, 0x39];
const [list, listEnd, object, objectEnd, comma] = [0x5b, 0x5d, 0x7b, 0x7d, 0x2c];

/** Ends early where a limit is passed. */
export function scan(text: string): Scan {
  let [open, depth, values] = [0, 0, 1];
  const exact: number[] = [];
  for (let at = 0; at < text.length && depth <= limits.depth && values <= limits.values; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === comma) values++;
    else if (code === list || code === object) {
      depth = Math.max(depth, ++open);
      values++;
    } else if (code === listEnd || code === objectEnd) open--;
    else if (code === minus || (code >= zero && code <= nine)) {
      const end = endOfNumber(text, at);
      if (isExact(text.slice(at, end))) exact.push(at, end);
      at = end - 1;
    }
  }
  return { depth, values, exact };
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function endOfNumber(text: string, start: number): number {
  let at = start;
  while (at < text.length && /[-+.\dEe]/.test(text.charAt(at))) at++;
  return at;
}
