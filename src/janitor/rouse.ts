import { janitorId, janitorType, rouseSignal } from '../contract/deletion.js';
import { call } from '../client/call.js';
import type { ClientContext } from '../client/context.js';

/** Starts the janitor of this environment, or tells it to look at its list. Safe to repeat. */
export async function rouse(context: Pick<ClientContext, 'temporal' | 'taskQueue'>): Promise<void> {
  const { temporal, taskQueue } = context;
  await call(context, () =>
    temporal.workflow.signalWithStart(janitorType, {
      workflowId: janitorId(taskQueue),
      taskQueue,
      signal: rouseSignal,
      args: [],
      staticSummary: 'deletes what has expired',
    }),
  );
}

/** Whoever was the next before has roused it, and it looks again when that is due. */
export async function rouseIfNext(context: ClientContext, dueMs: number, nowMs: number): Promise<void> {
  const { nextMs = Infinity } = await context.store.deletions.outlook(Math.min(nowMs, dueMs - 1));
  if (dueMs <= nextMs) await rouse(context);
}
