import { Context } from '@temporalio/activity';
import { nothingRemoved } from '../contract/deletion.js';
import type { ScheduleDeletionInput } from '../contract/state-step.js';
import { rouseIfNext } from '../janitor/rouse.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';

/** The session is to be deleted, unless somebody says something. Safe to repeat. */
export function createScheduleDeletion({ store }: { store: Store }) {
  return async function scheduleDeletion({ at, dueAt, ...input }: ScheduleDeletionInput): Promise<void> {
    await publishEvents(store.events, input);
    const { info, client } = Context.current();
    await store.deletions.schedule({
      workflowId: info.workflowExecution?.workflowId ?? '',
      conversationId: input.conversationId ?? input.firstRunId,
      firstRunId: input.firstRunId,
      reason: 'expired',
      dueAt,
      requestedAt: at,
      status: 'scheduled',
      removed: nothingRemoved,
    });
    await rouseIfNext({ temporal: client, store, taskQueue: store.environment.taskQueue }, Date.parse(dueAt), Date.parse(at));
  };
}
