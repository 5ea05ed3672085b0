/**
 * A run that has waited for long goes on as a sleeper: the same workflow, with a snapshot in the store instead of its state. Handlers and
 * queries answer, clocks run; what has to be acted upon wakes it, and it goes on as if it had never slept.
 */
import { allHandlersFinished, CancelledFailure, CancellationScope, condition, sleep } from '@temporalio/workflow';
import { failureOf } from '../../contract/failure.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { LoadSnapshotOutput } from '../../contract/state-step.js';
import { isRoused, roused, sleeperOf, type Sleeper } from '../../state/sleeper.js';
import type { RunState } from '../../state/run-state.js';
import { deadlineOf } from '../../state/termination.js';
import { loadToWake, lookUpRun, saveSnapshot, stepFailure } from './activities.js';
import { Alarm } from './alarm.js';
import { now } from './clock.js';
import { stopFromOutside } from './conditions.js';
import { expiryOf } from './expiry.js';
import { isContinuationDue, leave } from './leave.js';
import { ParentWatch } from './parent.js';
import { dueAt } from './patience.js';
import { isOpen, takeOver } from './request-list.js';
import type { AnyRun } from './run.js';
import { showDetails, showRun, showWaitingFor } from './visibility.js';
import { snapshotOf } from './views.js';

const hour = 3600 * 1000;
const day = 24 * hour;
const firstPause = 5000;
const mostPause = hour / 6;

/** Loading takes an event that may have no more than this. */
const mostSaved = sizes.input * 0.9;

/** Everybody has met, and nobody does anything but wait. Returns when there is something to do after all, or more than a sleeper may hold. */
export async function fallAsleep(run: AnyRun): Promise<void> {
  const { heard } = run.traffic;
  await run.outbox.flush();
  const { document, ...parts } = snapshotOf(run, { at: new Date().toISOString(), reason: 'sleep' });
  const { commands } = run.state;
  const whole = { ...document, state: { ...document.state, ...(commands && { commands }) } };
  if (!isStill(run) || jsonBytes(whole.state) > mostSaved || jsonBytes(asleep(run, ''.padEnd(32))) > sizes.sleeper) return;
  const saved = await run.outbox
    .alongLocally((base) => saveSnapshot()({ ...base, ...parts, document: whole, key: 'sleeper', isUnlisted: true }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Falling asleep');
    });
  run.transcript.advance(saved.head);
  await condition(allHandlersFinished);
  // As before every continue-as-new: whatever came while the local activity ran is here when a timer has fired.
  await sleep(1, { summary: 'what was said meanwhile' });
  const next = asleep(run, saved.id);
  if (run.traffic.heard > heard || !isStill(run) || jsonBytes(next) > sizes.sleeper) return;
  await leave(next);
}

/** Nothing is on its way, neither in nor out. */
function isStill({ state, outbox, notices }: AnyRun): boolean {
  const { stop, post, operations, commands = [] } = state;
  const isDue =
    operations.some(({ outcome, ended }) => outcome !== undefined || ended) || commands.some(({ status }) => status === 'pending');
  return !stop && post.length === 0 && !isDue && !outbox.isWaiting && !notices.isSoon;
}

function asleep(run: AnyRun, snapshotId: string): RunState {
  const at = now();
  const wakeAt = nextTime(run);
  return sleeperOf(run.state, { snapshotId, since: new Date(at).toISOString(), lookAt: at + hour, ...(wakeAt < Infinity && { wakeAt }) });
}

/** Whatever time would do to the run if it were awake. */
export function nextTime(run: AnyRun): number {
  const { limits, startedAt, termination, requests } = run.state;
  const expiries = requests.filter((asked) => isOpen(asked) && asked.operation === undefined).map(dueAt);
  const limit = limits.timeMs === undefined ? Infinity : Date.parse(startedAt) + limits.timeMs;
  const deadline = (termination && deadlineOf(termination)) ?? Infinity;
  return Math.min(limit, deadline, expiryOf(run), run.notices.nextAt, ...expiries, ...run.quiet.deadlines.values());
}

/** A whole execution, or the beginning of one: returns when the run is awake. */
export async function slumber(run: AnyRun, sleeper: Sleeper): Promise<void> {
  run.phase = 'waiting';
  showRun(run);
  showDetails(run, 'sleeps, and waits');
  if (!sleeper.isTold) run.outbox.emit('run.slept', { snapshotId: sleeper.snapshotId });
  sleeper.isTold = true;
  let isCancelled = false;
  CancellationScope.current().cancelRequested.catch(() => (isCancelled = true));
  // It wakes first even then: only the whole run can tell others, and what it has come to.
  await CancellationScope.nonCancellable(() => sleepAndWake(run, sleeper, () => isCancelled));
}

async function sleepAndWake(run: AnyRun, sleeper: Sleeper, isCancelled: () => boolean): Promise<void> {
  const { state, traffic, outbox } = run;
  const isDue = () => isCancelled() || isRoused(state, now());
  const above = new ParentWatch(run);
  const alarm = new Alarm();
  for (let pause = firstPause, heard = -1, retryAt = 0; ;) {
    await lookAfter(run);
    await above.look();
    if (isDue() && (retryAt <= now() || traffic.heard > heard)) {
      heard = traffic.heard;
      if (await wake(run, sleeper)) return alarm.clear();
      giveUp(run, isCancelled());
      retryAt = now() + pause;
      pause = Math.min(pause * 2, mostPause);
    }
    showWaitingFor(run);
    await outbox.flush();
    if (isContinuationDue(run)) await goOnAsleep(run);
    const isWaking = () => (retryAt > now() ? traffic.heard > heard : isDue());
    const looks = state.operations.map(({ lookAt = Infinity }) => lookAt);
    const wakeAt = Math.max(state.sleeper?.wakeAt ?? Infinity, retryAt);
    alarm.set(Math.min(wakeAt, isDue() ? retryAt : Infinity, above.at, ...looks));
    await condition(() => alarm.rings || outbox.isWaiting || isWaking());
  }
}

/** What it has heard and could not act upon goes along. */
async function goOnAsleep(run: AnyRun): Promise<void> {
  const { heard } = run.traffic;
  await condition(allHandlersFinished);
  if (run.outbox.isAhead) await sleep(1, { summary: 'what was said meanwhile' });
  if (run.traffic.heard === heard) await leave(run.state);
}

/** Temporal tells this execution nothing of runs that an earlier one has started: those that were terminated say nothing themselves. */
async function lookAfter(run: AnyRun): Promise<void> {
  for (const operation of run.state.operations.filter(({ lookAt = Infinity, ended }) => !ended && lookAt <= now())) {
    const found = await run.outbox
      .along((base) => lookUpRun(`look after ${operation.member}`)({ ...base, workflowId: operation.runId, presence: true }))
      .catch((error: unknown) => {
        throw stepFailure(error, 'Nested.Failed', `Looking after the run "${operation.runId}"`);
      });
    const pause = Math.min((operation.pause ?? hour) * 4, day);
    Object.assign(operation, found.status === 'open' ? { lookAt: now() + pause, pause } : { ended: true });
  }
}

/** `false` when the snapshot cannot be read. Nothing has changed then. */
async function wake(run: AnyRun, sleeper: Sleeper): Promise<boolean> {
  const { state } = run;
  const { snapshotId } = sleeper;
  const { pattern, conversationId } = state;
  let loaded: LoadSnapshotOutput;
  try {
    loaded = await run.outbox
      .along((base) => loadToWake('wake up')({ ...base, pattern, snapshotId, of: { conversationId }, isAwaking: true }))
      .catch((error: unknown) => {
        throw stepFailure(error, 'Store.Unavailable', 'Waking up');
      });
  } catch (error) {
    const { type, message } = failureOf(error);
    const failure = { type, message: message.slice(0, 500) };
    if (sleeper.failure?.message !== failure.message) run.outbox.emit('wake.failed', { snapshotId, failure });
    sleeper.failure = failure;
    return false;
  }
  const heard = state.requests;
  const { transcript, ...rest } = roused(state, loaded.state as RunState);
  for (const member of Object.keys(state)) if (!(member in rest) && member !== 'transcript') delete state[member as keyof RunState];
  Object.assign(state, rest);
  run.transcript.restore(transcript);
  run.outbox.emit('run.woken', { snapshotId });
  takeOver(run, heard);
  if (sleeper.stop) stopFromOutside(run, sleeper.stop.reason);
  return true;
}

/** What ends it does not wait for a store that may never be mended: it ends as what is left of it. */
function giveUp(run: AnyRun, isCancelled: boolean): void {
  const { limits, startedAt } = run.state;
  if (limits.timeMs !== undefined && Date.parse(startedAt) + limits.timeMs <= now())
    run.stop('stopped', 'limit.time', 'The limit of time was reached.');
  run.throwIfStopped();
  if (isCancelled) throw new CancelledFailure('The workflow was cancelled.');
}
