/** Says something to a session, and opens or wakes it in the same round trip. One that sleeps is a snapshot, and nothing at Temporal. */
import { WithStartWorkflowOperation, type Workflow } from '@temporalio/client';
import { failureOf } from '../contract/failure.js';
import type { MessageInput } from '../contract/message.js';
import { messages } from '../contract/names.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';

/** A session that is just falling asleep lets go of what has not been delivered: then the same message wakes it. */
const attempts = 5;

/** `runId`: of the execution that took the message. */
export async function sayWithStart(
  context: ClientContext,
  open: () => WithStartWorkflowOperation<Workflow>,
  input: { message: MessageInput; id: string },
): Promise<{ turnId: string; runId: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(context, async () => {
        const update = await context.temporal.workflow.startUpdateWithStart<Workflow, { turnId: string }, [unknown]>(messages.say, {
          args: [input],
          updateId: input.id,
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

/** Opens a session under this id as what it was when it fell asleep: it brings its agent along. */
export function wakeUp({ taskQueue }: ClientContext, workflowId: string): WithStartWorkflowOperation<Workflow> {
  return new WithStartWorkflowOperation('session', { workflowId, taskQueue, args: [{}], workflowIdConflictPolicy: 'USE_EXISTING' });
}
