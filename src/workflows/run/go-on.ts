/** How a run goes on from a snapshot. */
import { messages } from '../../contract/names.js';
import type { RunInput } from '../../contract/run.js';
import { spanMs } from '../../contract/span.js';
import { arrived } from '../../state/from-snapshot.js';
import { loadSnapshot, stepFailure } from './activities.js';
import { continueAsNew } from './boundary.js';
import { now } from './clock.js';
import { resumeNested } from './nested.js';
import { report } from './request-list.js';
import type { AnyRun } from './run.js';

/** From a snapshot: its state is read and checked by an activity, and becomes this run's by continuing as new with it. */
export async function goOn(run: AnyRun, { task: _, nested, ...input }: RunInput): Promise<void> {
  const { pattern } = run.state;
  const loaded = await run.outbox
    .along((base) =>
      loadSnapshot(`load ${String(input.snapshot)}`.slice(0, 200))({
        ...base,
        pattern,
        snapshotId: input.snapshot as string,
        into: { ...input, ...(nested && { nested }) },
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Loading the snapshot');
    });
  if (run.earlyStop) run.outbox.emit('input.refused', { handler: messages.stop, reason: 'The run had not begun.' });
  run.throwIfStopped();
  const { snapshotId, overridden } = loaded;
  const own = input.sleepAfter === undefined ? {} : { sleepAfterMs: spanMs(input.sleepAfter) ?? null };
  run.outbox.emit('run.loaded', { snapshotId, from: loaded.run.workflowId, ...(overridden && { overridden }) });
  // What has come until the last moment comes along.
  await continueAsNew(run, ({ nested: origin, inbox, said, commands, eventCount }) => ({
    ...arrived(loaded, {
      conversationId: run.firstRunId,
      nowMs: now(),
      ...(origin && { nested: origin }),
      inbox,
      said,
      ...(commands && { commands }),
      eventCount,
    }),
    ...own,
  }));
}

/** The first execution after that: runs within go on from snapshots of theirs, and whoever is above is told who waits. */
export async function resume(run: AnyRun): Promise<void> {
  const { resume: again } = run.state;
  if (!again) return;
  for (const { operationId, snapshotId, pattern } of again) await resumeNested(run, operationId, { snapshotId, pattern });
  delete run.state.resume;
  report(run);
}
