/** Serialized state → `RunState`: read the version, migrate, validate. The only way in. */
import { fail } from '../contract/failure.js';
import { migrations, type Migration } from './migrations/index.js';
import { currentStateVersion, runStateShape, type RunState } from './run-state.js';
import { isObject, problemsOf } from './shape.js';

/**
 * @throws `State.Unreadable` with every problem listed · `State.Newer` when a newer release wrote it
 */
export function readState(value: unknown, pattern: string, chain: readonly Migration[] = migrations): RunState {
  const state = migrate(value, chain);
  const problems = problemsOf(state, runStateShape, 'state');
  if (problems.length > 0) throw unreadable(problems);
  const read = state as unknown as RunState;
  if (read.pattern !== pattern) throw unreadable([`state.pattern: this is the state of a "${read.pattern}" run, not of "${pattern}"`]);
  const problem = inconsistency(read);
  if (problem) throw unreadable([problem]);
  return read;
}

function migrate(value: unknown, chain: readonly Migration[]): Record<string, unknown> {
  if (!isObject(value)) throw unreadable(['state: expected an object']);
  const version = value.stateVersion;
  if (!Number.isInteger(version) || (version as number) < 1) throw unreadable(['state.stateVersion: expected a whole number from 1']);
  if ((version as number) > currentStateVersion) {
    throw fail('State.Newer', `This state has version ${String(version)}; this worker reads up to ${currentStateVersion}. Run a newer worker.`);
  }
  let state = value;
  for (const step of chain) {
    if (step.from === state.stateVersion) state = step.up(state);
  }
  if (state.stateVersion !== currentStateVersion) throw unreadable([`state.stateVersion: no way from ${String(version)} to ${currentStateVersion}`]);
  return state;
}

/** What the shape cannot say: positions that must fit together. */
function inconsistency({ transcript, turns, team }: RunState): string | undefined {
  let end = 0;
  for (const segment of transcript.segments) {
    if (segment.from !== end || segment.count < 1) return `state.transcript.segments: segment ${segment.id} does not follow the one before it`;
    end += segment.count;
  }
  const length = end + transcript.tail.length;
  if (transcript.head !== null && (transcript.head.length < end || transcript.head.length > length)) {
    return 'state.transcript.head: outside the transcript';
  }
  if (transcript.head === null && end > 0) return 'state.transcript.head: missing';
  const names = new Set(team.members.map((member) => member.name));
  const stranger = turns.find((turn) => !names.has(turn.agent));
  if (stranger) return `state.turns: "${stranger.agent}" is not in the team`;
  return undefined;
}

function unreadable(problems: string[]) {
  return fail('State.Unreadable', `The saved state cannot be read and is left as it is:\n- ${problems.join('\n- ')}`, { details: [problems] });
}
