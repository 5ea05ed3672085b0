/** What Temporal itself has of a run, where no worker can be asked. */
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';

export interface Execution {
  workflowId: string;
  runId: string;
}

/** What it was started with: a document, or the state that the execution before it has handed on. */
export async function inputOf(context: ClientContext, execution: Execution): Promise<unknown[]> {
  const { events } = await pageOf(context, execution, 1);
  const payloads = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  return await decodeArrayFromPayloads(context.temporal.options.loadedDataConverter, payloads);
}

/** No worker has done anything for it. */
export async function isUntouched(context: ClientContext, execution: Execution): Promise<boolean> {
  let next: Uint8Array | undefined;
  do {
    const page = await pageOf(context, execution, 1000, next);
    if (page.events.some((event) => event.workflowTaskCompletedEventAttributes)) return false;
    next = page.next;
  } while (next);
  return true;
}

async function pageOf(context: ClientContext, execution: Execution, maximumPageSize: number, nextPageToken?: Uint8Array) {
  const { workflowService, options } = context.temporal;
  const { history, nextPageToken: next } = await call(context, () =>
    workflowService.getWorkflowExecutionHistory({
      namespace: options.namespace,
      execution,
      maximumPageSize,
      ...(nextPageToken && { nextPageToken }),
    }),
  );
  return { events: history?.events ?? [], next: next?.length ? next : undefined };
}
