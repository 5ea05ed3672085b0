import { randomUUID } from 'node:crypto';
import { fail } from '../contract/failure.js';
import { checkFork } from '../contract/guards.js';
import type { ForkInput } from '../contract/snapshot.js';
import type { SnapshotParts } from '../contract/state-step.js';
import type { RunState } from '../state/run-state.js';
import type { ClientContext } from './context.js';
import { readStoredSnapshot, writeClosed } from './snapshots.js';
import { startRun } from './start-run.js';

/** A run that has ended starts no other itself: what it tells, or has left, is gone on with. Returns the workflow id of the new one. */
export async function forkClosed(context: ClientContext, parts: SnapshotParts, input: ForkInput): Promise<string> {
  const checked = checkFork(input);
  if ('problem' in checked) throw fail('Input.Invalid', checked.problem);
  const { snapshotId: given, as } = checked.value;
  const { run, definition } = parts.document;
  const own = parts.document.state as RunState;
  if (own.nested) throw fail('Input.Invalid', `This run is a part of "${own.nested.root.workflowId}". Fork that.`);
  const snapshotId = given ?? (await writeClosed(context, { ...parts, document: { ...parts.document, reason: 'fork' } }));
  const { state } = await readStoredSnapshot(context, snapshotId);
  if ((state as RunState).conversationId !== own.conversationId)
    throw fail('State.Mismatch', `The snapshot ${snapshotId} is of another run. Load it as a run of its own.`);
  const workflowId = as ?? `${run.workflowId.slice(0, 150)}~${randomUUID().slice(0, 8)}`;
  await startRun(context, definition.pattern, { snapshot: snapshotId }, { workflowId, summary: `fork of ${run.workflowId}` });
  return workflowId;
}
