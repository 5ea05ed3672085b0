import { asText, cutText } from '../contract/cut-text.js';
import { toJson } from './tool-result.js';

/** What an error of an application's own code says, and what lies behind it: `fetch failed` alone helps nobody. Anything may be thrown. */
export function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  for (let next = error, depth = 0; next !== undefined && next !== null && depth < 3; depth++) {
    const text = wordsOf(next);
    if (!reasons.includes(text)) reasons.push(text);
    next = next instanceof Error ? next.cause : undefined;
  }
  return cutText(reasons.join(': ') || 'it did not say why', 2000);
}

function wordsOf(thrown: object | string | number | boolean | bigint | symbol): string {
  if (thrown instanceof Error) return String(thrown.message || thrown.name);
  const json = toJson(thrown);
  if ('value' in json) return asText(json.value);
  return typeof thrown === 'object' ? json.problem : String(thrown);
}
