/** Follows a run's event log by cursor, and Temporal's own word on whether the run has ended: a dead log never leaves a watcher waiting. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { RunEvent } from '../contract/event.js';
import { failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { RunStatus } from '../contract/run.js';
import type { EventCursor } from '../store/store.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';

export interface WatchOptions {
  /** Only events after this `seq`. @default 0: all */
  from?: number;
  signal?: AbortSignal;
  /** Asked when nothing has come for a while; `true` ends the watch. */
  onIdle?: () => Promise<boolean>;
}

/** How long one look into the log may wait, and how often Temporal is asked meanwhile. */
const waitMs = 1000;

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
      if (event.type === 'run.finished' || event.type === 'run.failed') return;
    }
    if (events.length > 0 || signal?.aborted) continue;
    const closed = await closingEvent(context, log, cursor);
    if (closed) {
      // The last words may have been written between the two looks.
      yield* (await readQuietly(context, log, cursor, signal, 0)).filter(({ type }) => type !== closed.type);
      yield closed;
      return;
    }
    if (await onIdle?.()) return;
  }
}

/** The run id of the first execution of whatever runs, or last ran, under this workflow id. */
export async function firstRunOf(context: ClientContext, workflowId: string): Promise<string> {
  const described = await describe(context, workflowId);
  const first = described.raw.workflowExecutionInfo?.firstRunId;
  if (first) return first;
  const handle = context.temporal.workflow.getHandle(workflowId);
  return (await call(context, () => handle.query<RunStatus>(queries.status))).firstRunId;
}

async function readQuietly(context: ClientContext, log: { workflowId: string; firstRunId: string }, cursor: EventCursor, signal?: AbortSignal, wait = waitMs) {
  try {
    return await context.store.events.read(log, cursor, { waitMs: wait, ...(signal && { signal }) });
  } catch {
    // Without the log there is still the run's end to wait for.
    await pause(signal?.aborted ? 0 : wait);
    return [];
  }
}

/** What Temporal knows when the log does not say it: the end of the run. */
async function closingEvent(
  context: ClientContext,
  { workflowId, firstRunId }: { workflowId: string; firstRunId: string },
  { epoch, seq }: EventCursor,
): Promise<RunEvent | undefined> {
  let described: WorkflowExecutionDescription;
  try {
    described = await describe(context, workflowId);
  } catch (error) {
    if (failureOf(error).type === 'Connection.Failed') return undefined;
    throw error;
  }
  const first = described.raw.workflowExecutionInfo?.firstRunId;
  const isOurs = !first || first === firstRunId;
  const { name } = described.status;
  if (isOurs && (name === 'RUNNING' || name === 'CONTINUED_AS_NEW' || name === 'PAUSED')) return undefined;
  const tags = { at: (described.closeTime ?? new Date()).toISOString(), seq, epoch, runId: workflowId };
  if (isOurs) {
    const status = await statusOf(context, workflowId);
    if (status?.result) return { type: 'run.finished', result: status.result, ...tags };
    if (status?.failure) return { type: 'run.failed', failure: status.failure, ...tags };
  }
  return { type: 'run.failed', failure: { type: 'Run.Failed', message: `The run was closed by Temporal: ${name.toLowerCase()}.` }, ...tags };
}

async function statusOf(context: ClientContext, workflowId: string): Promise<RunStatus | undefined> {
  try {
    return await call(context, () => context.temporal.workflow.getHandle(workflowId).query<RunStatus>(queries.status));
  } catch {
    return undefined;
  }
}

async function describe(context: ClientContext, workflowId: string): Promise<WorkflowExecutionDescription> {
  return await call(context, () => context.temporal.workflow.getHandle(workflowId).describe());
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
