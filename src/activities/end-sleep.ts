import { Context } from '@temporalio/activity';
import type { StepInput } from '../contract/step.js';
import { endSleep as endSleepOf } from '../store/asleep.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';

/** The run is awake: what it was when it fell asleep is not to be woken again. Safe to repeat. */
export function createEndSleep({ store }: { store: Store }) {
  return async function endSleep(input: StepInput): Promise<void> {
    await publishEvents(store.events, input);
    const { workflowId = '' } = Context.current().info.workflowExecution ?? {};
    await store.deletions.withdraw({ workflowId, conversationId: input.conversationId ?? input.firstRunId });
    await endSleepOf(store, workflowId);
  };
}
