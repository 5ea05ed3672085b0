/** What a check against a JSON schema has found, before it is put into words: most of it belongs to alternatives that nobody meant. */
import type { Json, JsonObject } from './json.js';
import { hint, pathText, show, type Problem } from './problems.js';

/** Where the check is. */
export interface Place {
  value: Json | undefined;
  key?: string | number;
  parent?: Place;
  /** The schemas that this very value is being checked against. */
  open: JsonObject[];
}

export interface Finding {
  place: Place;
  /** `a string`, `null`: what it must be, one of them. */
  wants: string[];
  /** The value as a whole is the wrong one: its kind, or it is not among those listed. */
  misfit?: 'kind' | 'choice';
  /** The name is the problem; these there are. */
  known?: JsonObject;
}

/** How many of them a message names; a finding holds one more, which says that there are more. */
export const mostWanted = 20;

/** The problems of the alternative that was meant, given those of each: at least one alternative, at least one problem each. */
export function meantBy(place: Place, failed: Finding[][]): Finding[] {
  const misfits = (list: Finding[]) => list.filter((finding) => finding.misfit && finding.place === place);
  const near = failed.filter((list) => misfits(list).length === 0);
  const [nearest] = near;
  if (nearest === undefined) return [{ place, wants: together(failed.flatMap(misfits)), misfit: 'kind' }];
  // A member with a few words to choose from tells alternatives apart, such as `type`: where it fits is what was meant.
  const tag = (list: Finding[]) => list.find((finding) => finding.misfit === 'choice' && finding.place.parent === place);
  const told = near.filter((list) => tag(list) === undefined);
  const first = tag(nearest);
  if (first === undefined || told.length > 0) return told.reduce((best, list) => (list.length < best.length ? list : best));
  const alike = near.flatMap((list) => tag(list) ?? []).filter((finding) => finding.place.key === first.place.key);
  return [{ ...first, wants: together(alike) }];
}

function together(findings: Finding[]): string[] {
  return [...new Set(findings.flatMap((finding) => finding.wants))].slice(0, mostWanted + 1);
}

/** The findings in words, each once. */
export function said(findings: Finding[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const finding of findings) {
    const problem = { path: pathText(pathOf(finding.place)), message: messageOf(finding) };
    problems.set(JSON.stringify(problem), problem);
  }
  return [...problems.values()];
}

function messageOf({ place: { value, key }, wants, known }: Finding): string {
  if (known) return `is not known here; ${hint(String(key), shortNames(known))}`;
  const last = wants.length > mostWanted ? ', …' : ` or ${wants.at(-1)}`;
  const must = `must be ${wants.length < 2 ? wants.join('') : `${wants.slice(0, -1).join(', ')}${last}`}`;
  return value === undefined ? `is missing; it ${must}` : `${must}, not ${show(value)}`;
}

/** Looking for the name that was meant costs as much as names are many and long. */
function shortNames(object: JsonObject): string[] {
  return Object.keys(object)
    .filter((name) => name.length <= 64)
    .slice(0, 200);
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) if (at.key !== undefined) path.push(at.key);
  return path.reverse();
}
