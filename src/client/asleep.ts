/** What a run that sleeps has let go of, from the snapshot that it has left. */
import type { RequestView } from '../contract/request.js';
import type { Checkpoint, RunStatus, TurnStatus } from '../contract/run.js';
import type { RunState } from '../state/run-state.js';
import { requestView, turnOf } from '../state/views.js';
import { readStoredSnapshot } from './snapshots.js';
import type { ClientContext } from './context.js';

type Asleep = Pick<RunStatus, 'asleep'>;

/** With whole prompts, and with those that do not wait any more. What the run tells is newer. */
export async function wholeRequests(context: ClientContext, { asleep }: Asleep, told: RequestView[]): Promise<RequestView[]> {
  if (!asleep) return told;
  const { requests } = await stateOf(context, asleep.snapshotId);
  const known = new Map(requests.map((asked) => [asked.requestId, requestView(asked)]));
  for (const view of told) {
    const before = known.get(view.requestId);
    const waits = before && view.status === 'pending';
    known.set(
      view.requestId,
      waits ? { ...view, prompt: before.prompt, ...(before.call && { call: before.call }) } : { ...before, ...view },
    );
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
  return asleep ? turnOf(await stateOf(context, asleep.snapshotId), told.turnId) : told;
}

async function stateOf(context: ClientContext, snapshotId: string): Promise<RunState> {
  return (await readStoredSnapshot(context, snapshotId, { isAlive: true })).state as RunState;
}
