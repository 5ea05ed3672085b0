/** Serialized state → `RunState`: read the version, migrate, validate. The only way in. */
import { fail } from '../contract/failure.js';
import { problemsOfCompactions } from './compaction.js';
import { migrations, type Migration } from './migrations/index.js';
import { runStateShape } from './run-state-shape.js';
import { currentStateVersion, type RunState } from './run-state.js';
import { isObject, problemsOf } from './shape.js';
import { problemsOfTermination } from './termination-problems.js';

/** A failure has to travel. */
const mostProblems = 20;

/**
 * @throws `State.Unreadable` with every problem listed · `State.Newer` when a newer release wrote it
 */
export function readState(value: unknown, pattern: string, chain: readonly Migration[] = migrations): RunState {
  const state = migrate(value, chain);
  const problems = problemsOf(state, runStateShape, 'state');
  if (problems.length > 0) throw unreadable(problems);
  const read = state as unknown as RunState;
  if (read.pattern !== pattern) throw unreadable([`state.pattern: this is the state of a "${read.pattern}" run, not of "${pattern}"`]);
  const contradictions = contradictionsIn(read);
  if (contradictions.length > 0) throw unreadable(contradictions);
  return read;
}

function migrate(value: unknown, chain: readonly Migration[]): Record<string, unknown> {
  if (!isObject(value)) throw unreadable(['state: expected an object']);
  const version = value.stateVersion as number;
  const newest = 1 + (chain.at(-1)?.from ?? currentStateVersion - 1);
  if (!Number.isInteger(version) || version < 1) throw unreadable(['state.stateVersion: expected a whole number from 1']);
  if (version > newest) {
    throw fail('State.Newer', `This state has version ${version}; this worker reads up to ${newest}. Run a newer worker.`);
  }
  let state = value;
  for (const step of chain) {
    if (step.from === state.stateVersion) state = migrated(state, step);
  }
  if (state.stateVersion !== newest) throw unreadable([`state.stateVersion: no way from ${version} to ${newest}`]);
  return state;
}

/** A step trusts the shape of its version: what it trips over is damaged. */
function migrated(state: Record<string, unknown>, { from, up }: Migration): Record<string, unknown> {
  try {
    return up(state);
  } catch (error) {
    throw unreadable([
      `state: version ${from} cannot be brought up to ${from + 1}: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

/** What the shape cannot say: positions that must fit together, and conditions with what they remember. */
function contradictionsIn({ transcript, turns, team, lastTurn, said, termination, compactions = {} }: RunState): string[] {
  const problems = termination ? problemsOfTermination(termination).map((problem) => `state.${problem}`) : [];
  let end = 0;
  for (const { id, from, count } of transcript.segments) {
    if (from !== end || count < 1) problems.push(`state.transcript.segments: segment ${id} does not follow the one before it`);
    end += count;
  }
  const length = end + transcript.tail.length;
  const { head } = transcript;
  if (head === null ? end > 0 : head.length < end || head.length > length) problems.push('state.transcript.head: outside the transcript');
  const names = new Set(team.members.map((member) => member.name));
  for (const [i, { agent, ordinal, start }] of turns.entries()) {
    if (!names.has(agent)) problems.push(`state.turns[${i}].agent: "${agent}" is not in the team`);
    if (ordinal > lastTurn) problems.push(`state.turns[${i}].ordinal: later than the last turn`);
    if (start > length) problems.push(`state.turns[${i}].start: outside the transcript`);
  }
  for (const [i, { reply }] of said.entries()) {
    if (reply !== undefined && reply >= length) problems.push(`state.said[${i}].reply: outside the transcript`);
  }
  problems.push(...problemsOfCompactions(compactions, length).map((problem) => `state.${problem}`));
  return problems.slice(0, mostProblems);
}

function unreadable(problems: string[]) {
  return fail('State.Unreadable', `The saved state cannot be read and is left as it is:\n- ${problems.join('\n- ')}`, {
    details: [problems],
  });
}
