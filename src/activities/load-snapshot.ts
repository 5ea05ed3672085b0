import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import { problemsFailure } from '../contract/problems.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { LoadSnapshotInput, LoadSnapshotOutput } from '../contract/state-step.js';
import type { RunState } from '../state/run-state.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { readDocument } from '../store/read-document.js';
import type { Store } from '../store/store.js';
import { fitInto } from './fit-into.js';
import type { PrepareDeps } from './prepare-run.js';
import { publishEvents } from './publish.js';

/** So many are looked through for the one that was made at a turn. */
const listed = 1000;

/** Reads a snapshot and checks all of it: what it returns can be gone on with. Changes nothing. */
export function createLoadSnapshot(deps: PrepareDeps) {
  const { store } = deps;
  return async function loadSnapshot({ pattern, of, into, isAwaking, ...input }: LoadSnapshotInput): Promise<LoadSnapshotOutput> {
    await publishEvents(store.events, input);
    const snapshotId = input.snapshotId ?? (await atTurn(store, input.workflowId ?? '', input.turn ?? 0));
    const { snapshot, state } = readSnapshot(await readDocument(store.blobs, snapshotId), pattern, { isAlive: isAwaking === true });
    if (of && state.conversationId !== of.conversationId) {
      throw fail(
        'State.Mismatch',
        `The snapshot ${snapshotId} is of another run, "${snapshot.run.workflowId}". Load it as a run of its own.`,
      );
    }
    if (into && state.nested && !into.nested) {
      throw fail(
        'State.Mismatch',
        `The snapshot ${snapshotId} is of a run nested in "${state.nested.root.workflowId}". Load one of that run: it brings this along.`,
      );
    }
    checkOptions(snapshotId, pattern, state);
    const { team, changes, overridden } = into ? await fitInto(deps, snapshot, state, into) : { team: state.team, changes: {} };
    await checkTeam(store, team.id);
    const next: RunState = { ...state, team, ...changes };
    const { at, run, members } = snapshot;
    if (jsonBytes(next) > sizes.input)
      throw fail('Input.TooLarge', `The state in the snapshot ${snapshotId} is larger than can be carried.`);
    return { snapshotId, state: next, at, run, members, settings: deps.settings, ...(overridden && { overridden }) };
  };
}

/** As they would be checked in the input of a new run. */
function checkOptions(id: string, pattern: string, { team, options }: RunState): void {
  const agents = team.members.filter(({ staff }) => !staff).map(({ name }) => name);
  const { problems } = readRunInput(pattern, { agents, options }, { taskKept: true });
  const about = problems.filter(({ path }) => path.startsWith('options'));
  if (about.length > 0) throw problemsFailure(`The snapshot ${id}`, about, 'State.Unreadable');
}

async function atTurn({ snapshots }: Store, workflowId: string, turn: number): Promise<string> {
  const found = (await snapshots.list(workflowId, { limit: listed })).find(
    // One that has ended had the id before.
    ({ turn: last, reason }) => last === turn && reason !== 'rollback' && reason !== 'finished',
  );
  if (found) return found.id;
  throw fail('State.NotFound', `"${workflowId}" has no snapshot made after turn ${turn}. List those there are.`);
}

async function checkTeam({ blobs }: Store, id: string): Promise<void> {
  if ((await blobs.get(id)) === undefined)
    throw fail('State.Unreadable', `The store has not got the agents of this snapshot, ${id}: a part of it is lost.`);
}
