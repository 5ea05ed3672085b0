/** Follows a run's event log by cursor, and Temporal's own word on whether the run has ended: a dead log never leaves a watcher waiting. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { EventLogKey, RunEvent } from '../contract/event.js';
import { failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { RunStatus } from '../contract/run.js';
import type { EventCursor } from '../store/store.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';
import { describe } from './describe.js';
import { storedRun } from './stored-run.js';

export interface WatchOptions {
  /** Only events after this `seq`. @default 0: all */
  from?: number;
  signal?: AbortSignal;
  /** Asked when nothing has come for a while; `true` ends the watch. */
  onIdle?: () => Promise<boolean>;
}

/** How long one look into the log may wait, and how often Temporal is asked meanwhile. */
const waitMs = 1000;

/** How long after that a log that does not answer is waited for. */
const patienceMs = 2000;

export async function* watchRun(
  context: ClientContext,
  workflowId: string,
  firstRunId: string,
  { from = 0, signal, onIdle }: WatchOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const log = { workflowId, firstRunId };
  let cursor: EventCursor = { epoch: 0, seq: from };
  while (!signal?.aborted) {
    const events = await readQuietly(context, log, cursor, signal);
    for (const event of events) {
      cursor = { epoch: event.epoch, seq: event.seq };
      yield event;
      if (event.nested === undefined && (event.type === 'run.finished' || event.type === 'run.failed')) return;
    }
    if (events.length > 0 || signal?.aborted) continue;
    const closed = await closingEvent(context, log, cursor);
    if (closed) {
      // The last words may have been written between the two looks.
      yield* (await readQuietly(context, log, cursor, signal, 0)).filter(
        ({ type, nested }) => type !== closed.type || nested !== undefined,
      );
      yield closed;
      return;
    }
    if (await onIdle?.()) return;
  }
}

/** Without the log there is still the run's end to wait for. */
async function readQuietly(
  { store }: ClientContext,
  log: EventLogKey,
  cursor: EventCursor,
  signal?: AbortSignal,
  wait = waitMs,
): Promise<RunEvent[]> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<RunEvent[]>((resolve) => {
    timer = setTimeout(resolve, wait + patienceMs, []);
  });
  try {
    return await Promise.race([store.events.read(log, cursor, { waitMs: wait, ...(signal && { signal }) }), patience]);
  } catch (error) {
    // No later look would see more.
    if (failureOf(error).type === 'Encryption.KeyMissing') throw error;
    await pause(signal?.aborted ? 0 : wait);
    return [];
  } finally {
    clearTimeout(timer);
  }
}

/** What Temporal knows when the log does not say it: the end of the run. Where it knows nothing any more, the store does. */
async function closingEvent(
  context: ClientContext,
  { workflowId, firstRunId }: EventLogKey,
  cursor: EventCursor,
): Promise<RunEvent | undefined> {
  const tags = { ...cursor, at: new Date().toISOString(), runId: workflowId };
  let described: WorkflowExecutionDescription;
  try {
    described = await describe(context, workflowId);
  } catch (error) {
    const { type } = failureOf(error);
    if (type === 'Connection.Failed') return undefined;
    const stored = type === 'Run.NotFound' ? await storedRun(context, workflowId, firstRunId) : undefined;
    if (!stored) throw error;
    const left = { ...tags, at: stored.at };
    return endOf(stored.firstRunId === firstRunId ? stored.status : undefined, left) ?? failed(idTaken, left);
  }
  const first = described.raw.workflowExecutionInfo?.firstRunId;
  const isOurs = !first || first === firstRunId;
  const { name } = described.status;
  if (isOurs && (name === 'RUNNING' || name === 'CONTINUED_AS_NEW' || name === 'PAUSED')) return undefined;
  const closed = { ...tags, at: (described.closeTime ?? new Date()).toISOString() };
  if (!isOurs) return failed(idTaken, closed);
  const message = `The run was closed by Temporal: ${name.toLowerCase().replace('_', ' ')}.`;
  return endOf(await statusOf(context, workflowId), closed) ?? failed(message, closed);
}

const idTaken = 'The run has ended, and another one has taken its id.';

type Tags = Pick<RunEvent, 'at' | 'seq' | 'epoch' | 'runId'>;

function endOf(status: RunStatus | undefined, tags: Tags): RunEvent | undefined {
  if (status?.result) return { type: 'run.finished', result: status.result, ...tags };
  return status?.failure && { type: 'run.failed', failure: status.failure, ...tags };
}

function failed(message: string, tags: Tags): RunEvent {
  return { type: 'run.failed', failure: { type: 'Run.Failed', message }, ...tags };
}

async function statusOf(context: ClientContext, workflowId: string): Promise<RunStatus | undefined> {
  try {
    return await call(context, () => context.temporal.workflow.getHandle(workflowId).query<RunStatus>(queries.status));
  } catch {
    return undefined;
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
