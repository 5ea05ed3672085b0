/** What Temporal itself knows of a run, without asking a worker. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { fail } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { RunStatus } from '../contract/run.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';

/** @throws `Run.NotFound` */
export async function describe(context: ClientContext, workflowId: string): Promise<WorkflowExecutionDescription> {
  return await call(context, () => context.temporal.workflow.getHandle(workflowId).describe());
}

/** A run that was ended from outside tells nothing of it: Temporal does. */
export async function asEnded(context: ClientContext, told: RunStatus): Promise<RunStatus> {
  if (!['starting', 'running', 'waiting'].includes(told.status)) return told;
  const { status } = await describe(context, told.runId);
  const how = { TERMINATED: 'was terminated', TIMED_OUT: 'ran out of the time Temporal gave it', FAILED: 'failed' }[status.name as string];
  return how === undefined
    ? told
    : { ...told, status: 'failed', failure: { type: 'Run.Failed', message: `The run "${told.runId}" ${how}.` } };
}

/**
 * The run id of the first execution of whatever runs, or last ran, under this workflow id.
 *
 * @throws `Run.NotFound` · `Run.OtherEnvironment`
 */
export async function firstRunOf(context: ClientContext, workflowId: string): Promise<string> {
  const described = await describe(context, workflowId);
  assertOurs(context, described);
  const first = described.raw.workflowExecutionInfo?.firstRunId;
  if (first) return first;
  const handle = context.temporal.workflow.getHandle(workflowId);
  return (await call(context, () => handle.query<RunStatus>(queries.status))).firstRunId;
}

/** Environments on the same namespace share its workflow ids, and nothing else. */
export function assertOurs({ taskQueue }: ClientContext, run: Pick<WorkflowExecutionDescription, 'workflowId' | 'taskQueue'>): void {
  if (run.taskQueue === taskQueue) return;
  throw fail('Run.OtherEnvironment', `The run "${run.workflowId}" belongs to task queue "${run.taskQueue}", not to "${taskQueue}".`);
}
