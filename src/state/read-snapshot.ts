/** A snapshot's document → its state: kind, version, then the state inside. Safe in the workflow sandbox. */
import { fail, readNow } from '../contract/failure.js';
import { isAgentsToExport } from '../contract/guards.js';
import { snapshotType, type Snapshot } from '../contract/snapshot.js';
import { readState } from './read-state.js';
import type { RunState } from './run-state.js';
import { isObject, problemsOf, type Shape } from './shape.js';

const shape: Shape = {
  fields: {
    run: { fields: { workflowId: 'string', firstRunId: 'string' } },
    at: 'string',
    reason: 'string',
    definition: { fields: { pattern: 'string', fingerprint: 'string', agents: { list: 'string' } } },
    checkpoint: 'object',
    state: 'object',
    members: { map: { fields: { snapshotId: 'string', pattern: 'string' } } },
  },
};

/**
 * `expected`: the pattern that it has to be of. `isAlive`: it is read for the run itself, which has slept.
 *
 * @throws `State.Unreadable` with every problem · `State.Newer` · `State.Mismatch` when it is of another pattern. All of them final
 */
export function readSnapshot(
  document: unknown,
  expected?: string,
  { isAlive = false }: { isAlive?: boolean } = {},
): { snapshot: Snapshot; state: RunState } {
  if (!isObject(document) || document.type !== snapshotType) throw unreadable(['it is not a snapshot of a run']);
  const version = /^(\d+)\.\d+\.\d+$/.exec(String(document.schemaVersion));
  if (!version) throw unreadable(['schemaVersion: expected a version such as 1.0.0']);
  if (version[1] !== '1') {
    throw fail('State.Newer', `The snapshot has version ${String(document.schemaVersion)}; this release reads 1.x. Use a newer one.`, {
      final: true,
    });
  }
  const problems = problemsOf(document, shape, 'snapshot');
  if (problems.length === 0 && Number.isNaN(Date.parse(document.at as string))) problems.push('snapshot.at: expected a time');
  if (document.agents !== undefined && !isAgentsToExport(document.agents))
    problems.push("snapshot.agents: expected 'all', 'none' or names");
  if (problems.length > 0) throw unreadable(problems);
  const snapshot = document as unknown as Snapshot;
  const { pattern } = snapshot.definition;
  if (expected !== undefined && pattern !== expected) {
    throw fail('State.Mismatch', `The snapshot is of a ${pattern} run, "${snapshot.run.workflowId}". Load it as that, not as ${expected}.`);
  }
  const state = readNow(() => readState(snapshot.state, pattern));
  if (state.sleeper) throw unreadable([`snapshot.state: the run slept; all of it is in ${state.sleeper.snapshotId}`]);
  const lost = isAlive ? [] : state.operations.filter(({ id, outcome }) => !outcome && !Object.hasOwn(snapshot.members, id));
  if (lost.length > 0) throw unreadable(lost.map(({ id }) => `snapshot.members.${id}: the run waits for it, and it is not there`));
  return { snapshot, state };
}

function unreadable(problems: string[]) {
  return fail('State.Unreadable', `The snapshot cannot be read and is left as it is:\n- ${problems.join('\n- ')}`, { details: [problems] });
}
