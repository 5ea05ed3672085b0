/** From text to JSON, no number rounded. Size and depth are looked at before anything is parsed. */
import { parseExactly } from './parse-exactly.js';
import { limits } from './limits.js';
import { refusal, tooLarge } from './refuse.js';
import { scan } from './scan.js';
import { syntaxProblem } from './syntax-problem.js';

export function readText(input: string): unknown {
  if (input.length > limits.text) throw tooLarge(`${input.length} characters, where ${limits.text} are read`);
  // Editors on Windows put a mark there.
  const text = input.startsWith('\uFEFF') ? input.slice(1) : input;
  const { depth, values, exact } = scan(text);
  if (depth > limits.depth) throw refusal([{ path: '', message: `is nested deeper than ${limits.depth} levels` }]);
  if (values > limits.values) throw tooLarge(`it has more than ${limits.values} values`);
  try {
    // Of members with the same name the last one counts, as in .NET and Python.
    return exact.length === 0 ? (JSON.parse(text) as unknown) : parseExactly(text, exact);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refusal([syntaxProblem(text, error)]);
  }
}
