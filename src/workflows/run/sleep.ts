/** A session that nobody speaks to closes and leaves a snapshot; under its id, the next message opens it as it was. */
import { CancellationScope, sleep } from '@temporalio/workflow';
import { awoken } from '../../state/from-snapshot.js';
import { endSleep, loadSnapshot, stepFailure } from './activities.js';
import { now } from './clock.js';
import { pendingCommands } from './commands.js';
import { isOpen } from './request-list.js';
import type { AnyRun } from './run.js';
import { save } from './snapshots.js';

/** `false` when there is something to do after all. Whoever hears `true` ends the workflow at once, and runs no activity any more. */
export async function fallAsleep(run: AnyRun): Promise<boolean> {
  if (!isIdle(run)) return false;
  const snapshotId = await save(run, 'sleep', { key: 'sleep' });
  let isAsleep = false;
  try {
    run.outbox.emit('run.slept', { snapshotId });
    await run.outbox.flush();
    // As before continue-as-new: whatever came while the local activities ran is here when a timer has fired. What comes later makes
    // the server refuse the end of this execution, and is here when the task is done again.
    await sleep(1, { summary: 'what was said meanwhile' });
    isAsleep = isIdle(run);
  } finally {
    if (!isAsleep) await CancellationScope.nonCancellable(() => stayAwake(run));
  }
  return isAsleep;
}

/** The first thing in a new execution: everything is as it was, and what woke it waits in the inbox. */
export async function wake(run: AnyRun, snapshotId: string): Promise<void> {
  const { state, transcript } = run;
  const loaded = await run.outbox
    .along((base) => loadSnapshot('wake up')({ ...base, pattern: state.pattern, snapshotId }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Waking up');
    });
  const woken = awoken(state, loaded, now());
  Object.assign(state, woken, { transcript: state.transcript });
  transcript.adopt(woken.transcript);
  run.outbox.emit('run.woken', { snapshotId });
  await stayAwake(run);
}

/** Otherwise it would be woken as this once more. */
async function stayAwake(run: AnyRun): Promise<void> {
  await run.outbox.alongLocally((base) => endSleep()(base));
}

function isIdle(run: AnyRun): boolean {
  const { inbox, requests, operations, post, turns, stop } = run.state;
  const isQuiet = [inbox, operations, post, turns, pendingCommands(run)].every(({ length }) => length === 0);
  return isQuiet && !requests.some(isOpen) && !stop && !run.outbox.isWaiting;
}
