import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { fail } from '../contract/failure.js';
import type { RunInput } from '../contract/run.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';

/** Returns the run id of its first execution. @throws `Run.AlreadyExists` */
export async function startRun(
  context: ClientContext,
  pattern: string,
  document: RunInput,
  { workflowId, summary }: { workflowId: string; summary: string },
): Promise<string> {
  const { temporal, taskQueue } = context;
  try {
    const options = { workflowId, taskQueue, args: [document], staticSummary: summary.slice(0, 200) };
    return (await call(context, () => temporal.workflow.start(pattern, options))).firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw fail('Run.AlreadyExists', `A run "${workflowId}" is open already. Attach to it, or choose another id.`, { cause: error });
  }
}
