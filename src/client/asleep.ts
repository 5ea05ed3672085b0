/** What a run that sleeps has let go of, from the snapshot that it has left. */
import type { RequestView } from '../contract/request.js';
import type { Checkpoint, RunStatus, TurnStatus } from '../contract/run.js';
import type { RunState } from '../state/run-state.js';
import { readStoredSnapshot } from './snapshots.js';
import type { ClientContext } from './context.js';

type Asleep = Pick<RunStatus, 'asleep'>;

/** With whole prompts, and with those that do not wait any more. What the run tells is newer. */
export async function wholeRequests(context: ClientContext, { asleep }: Asleep, told: RequestView[]): Promise<RequestView[]> {
  if (!asleep) return told;
  const { requests } = await stateOf(context, asleep.snapshotId);
  const known = new Map(requests.map(({ operation: _, nestedId: __, ...view }) => [view.requestId, view]));
  for (const view of told) {
    const before = known.get(view.requestId);
    if (!before || view.status !== 'pending') known.set(view.requestId, { ...before, ...view });
  }
  return [...known.values()];
}

export async function wholeCheckpoint(context: ClientContext, told: Checkpoint): Promise<Checkpoint> {
  if (told.snapshotId === undefined) return told;
  const { completedSteps, stepOutputs, transcript } = (await readStoredSnapshot(context, told.snapshotId, { isAlive: true })).checkpoint;
  return { ...told, completedSteps, stepOutputs, transcript: { ...told.transcript, segments: transcript.segments } };
}

/** What became of a message before the run fell asleep. */
export async function turnBefore(context: ClientContext, { asleep }: Asleep, told: TurnStatus): Promise<TurnStatus> {
  const said = asleep && (await stateOf(context, asleep.snapshotId)).said.find(({ id }) => id === told.turnId);
  if (!said) return told;
  const { id: turnId, status, reply, failure } = said;
  return { turnId, status, ...(reply !== undefined && { position: reply }), ...(failure && { failure }) };
}

async function stateOf(context: ClientContext, snapshotId: string): Promise<RunState> {
  return (await readStoredSnapshot(context, snapshotId, { isAlive: true })).state as RunState;
}
