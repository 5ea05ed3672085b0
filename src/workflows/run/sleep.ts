/**
 * A session that nobody speaks to closes and leaves a snapshot; under its id, the next message opens it as it was. One whose time is over
 * leaves nothing.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';
import type { JsonObject } from '../../contract/json.js';
import { awoken } from '../../state/from-snapshot.js';
import { endSleep, loadSnapshot, stepFailure } from './activities.js';
import { now } from './clock.js';
import { pendingCommands } from './commands.js';
import { expiresOf, isExpired, leaveToJanitor } from './expiry.js';
import { isOpen } from './request-list.js';
import type { AnyRun } from './run.js';
import { save } from './snapshots.js';

/** How it closes; `undefined` when there is something to do after all. Whoever is told ends the workflow at once, and runs no activity any more. */
export async function close(run: AnyRun): Promise<'asleep' | 'expired' | undefined> {
  if (!isIdle(run)) return undefined;
  if (run.notices.isOn) await run.notices.last();
  const end = isExpired(run) ? 'expired' : 'asleep';
  let isClosed = false;
  try {
    if (end === 'expired') run.outbox.emit('run.expired', { expireAfter: (run.state.options as JsonObject).expireAfter ?? null });
    else run.outbox.emit('run.slept', { snapshotId: await save(run, 'sleep', { key: 'sleep', ...expiresOf(run) }) });
    await leaveToJanitor(run);
    await run.outbox.flush();
    // As before continue-as-new: whatever came while the local activities ran is here when a timer has fired. What comes later makes
    // the server refuse the end of this execution, and is here when the task is done again.
    await sleep(1, { summary: 'what was said meanwhile' });
    isClosed = isIdle(run);
  } finally {
    if (!isClosed) await CancellationScope.nonCancellable(() => stayAwake(run));
    if (!isClosed) run.notices.resume();
  }
  return isClosed ? end : undefined;
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
