/**
 * Termination conditions as what a run remembers of them. Each function takes a state and something seen, and returns the next state.
 * Once fired stays fired: a condition, or a tree of them, sees nothing more.
 */
import type { Condition, Fired } from '../contract/termination.js';
import {
  clip,
  deadline,
  pathTo,
  quote,
  seeEntry,
  seeTurn,
  type EndedTurn,
  type Leaf,
  type LeafState,
  type Observation,
} from './termination-leaf.js';

export type { EndedTurn, Observation } from './termination-leaf.js';
export { problemsOfTermination, terminationShape } from './termination-problems.js';

export interface TerminationState {
  version: 1;
  condition: Condition;
  /** Milliseconds since 1970. */
  startedAt: number;
  root: ConditionState;
}

/** Of a tree: the states of its conditions, in the same order. */
export interface ConditionState extends LeafState {
  conditions?: ConditionState[];
}

export function openTermination(condition: Condition, startedAtMs: number): TerminationState {
  return { version: 1, condition, startedAt: startedAtMs, root: open(condition) };
}

/** Every entry exactly once, in order. */
export function observeEntry(state: TerminationState, observation: Observation): TerminationState {
  const { at, entry } = observation;
  return observe(state, { at, turn: entry.turn }, (leaf, seen) => seeEntry(leaf, seen, observation));
}

export function observeTurn(state: TerminationState, ended: EndedTurn): TerminationState {
  return observe(state, { at: ended.at, turn: ended.turn }, (leaf, seen) => seeTurn(leaf, seen, ended));
}

export function observeTime(state: TerminationState, nowMs: number): TerminationState {
  return observe(state, { at: new Date(nowMs).toISOString() }, (leaf, seen) => {
    const until = deadline(leaf, state.startedAt);
    if (leaf.type !== 'timeout' || until === undefined || nowMs < until) return seen;
    return `The run has lasted for ${typeof leaf.after === 'number' ? `${leaf.after} ms` : clip(leaf.after)}, the longest allowed.`;
  });
}

export function observeExternal(state: TerminationState, { at, reason }: { at: string; reason?: string }): TerminationState {
  const told = reason === undefined || reason.trim() === '' ? '' : `: ${quote(reason)}`;
  return observe(state, { at }, (leaf, seen) => (leaf.type === 'external' ? `Somebody asked from outside to stop${told}.` : seen));
}

/** What the function of the condition at `path` has said. */
export function observeCustom(
  state: TerminationState,
  path: string,
  { fired, reason = '', at }: { fired: boolean; reason?: string; at: string },
): TerminationState {
  return observe(state, { at }, (leaf, seen, place) => {
    if (!fired || leaf.type !== 'custom' || place !== path) return seen;
    return reason.trim() === '' ? `Function ${quote(leaf.function)} said that the team is done.` : clip(reason);
  });
}

/** Conditions that wait for what a function says. */
export function customIn({ condition, root }: TerminationState): { path: string; function: string }[] {
  return waiting(condition, root).flatMap(({ leaf, path }) => (leaf.type === 'custom' ? { path, function: leaf.function } : []));
}

/** Whether anybody may ask from outside, also again. */
export function hasExternal({ condition }: TerminationState): boolean {
  return holdsExternal(condition);
}

/** Milliseconds since 1970: when to observe the time at the latest. */
export function deadlineOf({ condition, root, startedAt }: TerminationState): number | undefined {
  const deadlines = waiting(condition, root).flatMap(({ leaf }) => deadline(leaf, startedAt) ?? []);
  return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
}

/** When it is over: every condition that fired and counts towards it, in the order of the tree. */
export function verdictOf({ condition, root }: TerminationState): Fired[] | undefined {
  return verdict(condition, root);
}

function open(condition: Condition): ConditionState {
  return isTree(condition) ? { conditions: condition.conditions.map(open) } : {};
}

type Look = (leaf: Leaf, seen: LeafState, path: string) => LeafState | string;

function observe(state: TerminationState, when: { at: string; turn?: number }, look: Look): TerminationState {
  const { at, turn } = when;
  const react = (leaf: Leaf, seen: LeafState, path: string): LeafState => {
    const reaction = look(leaf, seen, path);
    if (typeof reaction !== 'string') return reaction;
    return { fired: { path, type: leaf.type, reason: reaction, at, ...(turn !== undefined && { turn }) } };
  };
  const next = (condition: Condition, seen: ConditionState, path: string): ConditionState => {
    if (verdict(condition, seen)) return seen;
    if (!isTree(condition)) return react(condition, seen, path);
    return { conditions: condition.conditions.map((inner, i) => next(inner, stateAt(seen, i), pathTo(path, i))) };
  };
  return { ...state, root: next(state.condition, state.root, '') };
}

function verdict(condition: Condition, seen: ConditionState): Fired[] | undefined {
  if (!isTree(condition)) return seen.fired && [seen.fired];
  const verdicts = condition.conditions.map((inner, i) => verdict(inner, stateAt(seen, i)));
  const fired = verdicts.filter((inner) => inner !== undefined);
  return fired.length >= (condition.type === 'and' ? Math.max(verdicts.length, 1) : 1) ? fired.flat() : undefined;
}

/** Leaves that still see something. */
function waiting(condition: Condition, seen: ConditionState, path = ''): { leaf: Leaf; path: string }[] {
  if (verdict(condition, seen)) return [];
  if (!isTree(condition)) return [{ leaf: condition, path }];
  return condition.conditions.flatMap((inner, i) => waiting(inner, stateAt(seen, i), pathTo(path, i)));
}

function holdsExternal(condition: Condition): boolean {
  return isTree(condition) ? condition.conditions.some(holdsExternal) : condition.type === 'external';
}

function isTree(condition: Condition): condition is Exclude<Condition, Leaf> {
  return condition.type === 'and' || condition.type === 'or';
}

function stateAt(seen: ConditionState, index: number): ConditionState {
  return seen.conditions?.[index] ?? {};
}
