/** What Temporal itself has of a run, where no worker can be asked. */
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { call } from '../client/call.js';
import type { ClientContext } from '../client/context.js';

export interface Execution {
  workflowId: string;
  runId: string;
}

export interface Beginning {
  /** A document, or the state that the execution before has handed on. */
  input: unknown[];
  /** No worker has done anything for it, ever. */
  isUntouched: boolean;
}

export async function beginningOf(context: ClientContext, execution: Execution): Promise<Beginning> {
  let { events, next } = await pageOf(context, execution, 10);
  const payloads = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const input = await decodeArrayFromPayloads(context.temporal.options.loadedDataConverter, payloads);
  const isTouched = () => events.some(({ workflowTaskCompletedEventAttributes: completed }) => completed);
  while (!isTouched() && next) ({ events, next } = await pageOf(context, execution, 1000, next));
  return { input, isUntouched: !isTouched() };
}

/** How an execution began. */
export interface Start {
  firstRunId: string;
  /** The execution before it in its chain. */
  continuedRunId: string | undefined;
  taskQueue: string;
  atMs: number;
}

export async function startOf(context: ClientContext, execution: Execution): Promise<Start | undefined> {
  const [event] = (await pageOf(context, execution, 1)).events;
  const started = event?.workflowExecutionStartedEventAttributes;
  if (!started) return undefined;
  return {
    firstRunId: started.firstExecutionRunId ?? execution.runId,
    continuedRunId: started.continuedExecutionRunId || undefined,
    taskQueue: started.taskQueue?.name ?? '',
    atMs: Number(event.eventTime?.seconds ?? 0) * 1000 + Math.floor((event.eventTime?.nanos ?? 0) / 1e6),
  };
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
