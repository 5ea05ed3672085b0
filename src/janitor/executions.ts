/** Everything that Temporal has of a workflow id, execution by execution. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { failureOf } from '../contract/failure.js';
import { call } from '../client/call.js';
import type { ClientContext } from '../client/context.js';
import { startOf } from './history.js';

export interface FoundExecution {
  workflowId: string;
  runId: string;
  /** Of the chain of executions that it is a part of. */
  firstRunId: string;
  startedMs: number;
  isOpen: boolean;
}

/**
 * Those of this environment. The list may lag behind by a second: what it lacks is found from the newest execution, and from each the one
 * before it.
 */
export async function executionsOf(context: ClientContext, workflowId: string): Promise<FoundExecution[]> {
  const { workflow } = context.temporal;
  const runIds = new Set<string>();
  const newest = await call(context, () => workflow.getHandle(workflowId).describe()).catch(unlessGone);
  if (newest) runIds.add(newest.runId);
  for await (const { runId } of workflow.list({ query: `WorkflowId = '${workflowId.replaceAll("'", "''")}'`, pageSize: 1000 }))
    runIds.add(runId);
  const found: FoundExecution[] = [];
  for (const runId of runIds) {
    const start = await startOf(context, { workflowId, runId }).catch(unlessGone);
    if (start?.taskQueue !== context.taskQueue) continue;
    if (start.continuedRunId) runIds.add(start.continuedRunId);
    const isOpen = runId === newest?.runId && newest.closeTime === undefined;
    found.push({ workflowId, runId, firstRunId: start.firstRunId, startedMs: start.atMs, isOpen });
  }
  return found;
}

/** An execution that is open would be ended: see that it is not. Deleted since then is deleted. */
export async function deleteExecution(context: ClientContext, execution: { workflowId: string; runId: string }): Promise<void> {
  const { temporal } = context;
  await call(context, () =>
    temporal.workflowService.deleteWorkflowExecution({
      namespace: temporal.options.namespace,
      workflowExecution: { workflowId: execution.workflowId, runId: execution.runId },
    }),
  ).catch(unlessGone);
}

/** Does Temporal still know it? It deletes in its own time. */
export async function isThere(context: ClientContext, { workflowId, runId }: { workflowId: string; runId: string }): Promise<boolean> {
  const found = await call(context, () => context.temporal.workflow.getHandle(workflowId, runId).describe()).catch(unlessGone);
  return found !== undefined;
}

function unlessGone(error: unknown): undefined {
  const { code } = (error as { code?: unknown; cause?: { code?: unknown } }).cause ?? (error as { code?: unknown });
  const isGone = error instanceof WorkflowNotFoundError || failureOf(error).type === 'Run.NotFound' || code === notFound;
  if (!isGone) throw error;
}

/** gRPC's. */
const notFound = 5;
