/** Says something to a session, and opens or wakes it in the same round trip. One that sleeps is a snapshot, and nothing at Temporal. */
import { WithStartWorkflowOperation, type Workflow } from '@temporalio/client';
import { failureOf } from '../contract/failure.js';
import type { MessageInput } from '../contract/message.js';
import { messages } from '../contract/names.js';
import { asleepAs } from '../store/asleep.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';
import { describe } from './describe.js';
import type { WorkflowCalls } from './workflow-calls.js';

/** A session that is just falling asleep lets go of what has not been delivered: then the same message wakes it. */
const attempts = 5;

/** `runId`: of the execution that took the message. */
export async function sayWithStart(
  context: ClientContext,
  open: () => WithStartWorkflowOperation<Workflow>,
  input: { message: MessageInput; id: string },
  updateId = input.id,
): Promise<{ turnId: string; runId: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(context, async () => {
        const update = await context.temporal.workflow.startUpdateWithStart<Workflow, { turnId: string }, [unknown]>(messages.say, {
          args: [input],
          updateId,
          startWorkflowOperation: open(),
          waitForStage: 'ACCEPTED',
        });
        return { ...(await update.result()), runId: update.workflowRunId };
      });
    } catch (error) {
      if (attempt === attempts || failureOf(error).type !== 'Run.NotFound') throw error;
    }
  }
}

/**
 * Temporal remembers updates of runs that have closed. A session that could not be woken has taken the message and will not answer it: the
 * same message again has to be another update.
 */
export async function isLost(context: ClientContext, workflowId: string): Promise<boolean> {
  if ((await asleepAs(context.store, workflowId, Date.now())) === undefined) return false;
  return (await describe(context, workflowId)).status.name === 'FAILED';
}

/** Opens a session under this id as what it was when it fell asleep: it brings its agent along. */
export async function wakeUp(
  context: ClientContext,
  calls: Pick<WorkflowCalls, 'workflowId' | 'forgetFirstRun'>,
  input: { message: MessageInput; id: string },
  updateId?: string,
): Promise<{ turnId: string }> {
  const { workflowId } = calls;
  const how = { workflowId, taskQueue: context.taskQueue, workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  calls.forgetFirstRun();
  return await sayWithStart(context, () => new WithStartWorkflowOperation<Workflow>('session', { ...how, args: [{}] }), input, updateId);
}
