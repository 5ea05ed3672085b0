/** Deletion on request: put on the janitor's list, which does it whatever becomes of whoever asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { janitorId, nothingRemoved, type Deletion, type DeletionProof, type JanitorStatus, type Removed } from '../contract/deletion.js';
import { fail, failureOf } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import { messages, queries } from '../contract/names.js';
import { rouse } from '../janitor/rouse.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';
import { assertOurs, describe } from './describe.js';
import { milliseconds } from './span.js';

export interface DeleteOptions {
  /** Ends it first, now. */
  force?: boolean;
  /**
   * Texts that nobody refers to go as soon as no run of this environment is at work, instead of after the grace. Not while somebody
   * imports something that no run uses yet.
   */
  now?: boolean;
  /** How long to wait for it; it is done all the same. @default '1 minute' */
  timeout?: Span;
}

export interface DeletionReport {
  runId: string;
  /** `pending`: on the list, or its texts wait for the grace. */
  status: 'pending' | 'done';
  removed: Removed;
  /** When it goes on. RFC 3339. */
  next?: string;
  /** Why it does not go on, if so. It is tried again. */
  failure?: { type: string; message: string };
  proof?: DeletionProof;
}

const pauseMs = 200;

export async function deleteRun(
  context: ClientContext,
  id: string,
  { force = false, now = false, timeout = '1 minute' }: DeleteOptions = {},
): Promise<DeletionReport> {
  const until = performance.now() + milliseconds(timeout);
  const key = { workflowId: id };
  const { deletions } = context.store;
  const newest = await ended(context, id, force);
  const before = await deletions.get(key);
  if (before?.status === 'done') {
    // Asked again, it is told; but what has come since then is deleted as well.
    if (!newest) return reportOf(before);
    await deletions.remove(key);
  }
  if (!newest && !before && !(await isKnown(context, id))) throw fail('Run.NotFound', `There is nothing of "${id}" here.`);
  const at = new Date().toISOString();
  await deletions.schedule({
    ...key,
    reason: 'asked',
    requestedAt: at,
    dueAt: at,
    ...(newest && { before: newest.startTime.toISOString(), firstRunId: newest.firstRunId }),
    ...(now && { now }),
    status: 'scheduled',
    removed: nothingRemoved,
  });
  await rouse(context);
  for (;;) {
    const deletion = await deletions.get(key);
    if (!deletion) throw fail('Run.NotFound', `The deletion of "${id}" is not on the list any more. Ask for it again.`);
    // Without `now` there is nothing to wait for but the grace.
    const isWaiting = deletion.status === 'doomed' && !deletion.now;
    if (deletion.status === 'done' || isWaiting || deletion.failure || performance.now() > until) return reportOf(deletion);
    await sleep(pauseMs);
  }
}

/** Of one that Temporal has forgotten there may be a lot in the store. */
async function isKnown({ store }: ClientContext, workflowId: string): Promise<boolean> {
  return (await store.snapshots.list(workflowId, { limit: 1 })).length > 0 || (await store.events.logs({ workflowId })).length > 0;
}

/** The newest execution, when Temporal knows one. */
async function ended(context: ClientContext, id: string, force: boolean): Promise<{ startTime: Date; firstRunId?: string } | undefined> {
  for (let attempt = 0; ; attempt++) {
    const newest = await describe(context, id).catch((error: unknown) => {
      if (failureOf(error).type === 'Run.NotFound') return undefined;
      throw error;
    });
    if (!newest) return undefined;
    assertOurs(context, newest);
    const firstRunId = newest.raw.workflowExecutionInfo?.firstRunId;
    if (newest.closeTime) return { startTime: newest.startTime, ...(firstRunId && { firstRunId }) };
    if (!force) throw fail('Run.Open', `"${id}" is open. Cancel it first, or delete it with \`force\`.`, { final: true });
    await end(context, id, attempt);
  }
}

const mostAttempts = 100;

/** First by its own means, so that what is nested in it ends too; one that does not listen is terminated. */
async function end({ temporal, ...context }: ClientContext, id: string, attempt: number): Promise<void> {
  const handle = temporal.workflow.getHandle(id);
  if (attempt === 0)
    await call({ temporal, ...context }, () => handle.signal(messages.cancel, { mode: 'immediate' })).catch(() => undefined);
  if (attempt === mostAttempts) await call({ temporal, ...context }, () => handle.terminate('It is to be deleted.'));
  await sleep(pauseMs);
}

function reportOf({ workflowId, status, removed, dueAt, failure, proof }: Deletion): DeletionReport {
  const isDone = status === 'done';
  return {
    runId: workflowId,
    status: isDone ? 'done' : 'pending',
    removed,
    ...(!isDone && { next: dueAt }),
    ...(failure && { failure }),
    ...(proof && { proof }),
  };
}

export async function janitorStatus(context: ClientContext): Promise<JanitorStatus | undefined> {
  const handle = context.temporal.workflow.getHandle(janitorId(context.taskQueue));
  try {
    return await call(context, () => handle.query<JanitorStatus>(queries.status));
  } catch (error) {
    if (failureOf(error).type === 'Run.NotFound') return undefined;
    throw error;
  }
}
