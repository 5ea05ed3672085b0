/** Which functions a document names, and where. */
import type { JsonObject } from '../contract/json.js';
import { patterns, type PatternName } from '../contract/pattern.js';
import type { RunInput } from '../contract/run.js';
import type { Condition } from '../contract/termination.js';
import { placesOf } from './places.js';

interface NamedFunction {
  path: string;
  name: string;
}

export function functionsIn(pattern: string, { termination, input, output }: RunInput, options: JsonObject, at: string): NamedFunction[] {
  const dish = Object.hasOwn(patterns, pattern) ? patterns[pattern as PatternName] : undefined;
  const named = (dish?.functions ?? []).flatMap((path) => placesOf(options, path, `${at}options`));
  return [
    ...named.map(({ path, value }) => ({ path, name: value })),
    ...customIn(termination, `${at}termination`),
    { path: `${at}input.transform`, name: input?.transform },
    { path: `${at}output.transform`, name: output?.transform },
  ].filter((found): found is NamedFunction => typeof found.name === 'string');
}

function customIn(condition: Condition | undefined, path: string): NamedFunction[] {
  if (!condition) return [];
  if (condition.type === 'custom') return [{ path: `${path}.function`, name: condition.function }];
  if (condition.type !== 'and' && condition.type !== 'or') return [];
  return condition.conditions.flatMap((inner, i) => customIn(inner, `${path}.conditions[${i}]`));
}
