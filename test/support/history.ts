/** What Temporal recorded of a run: the activities of all its continuations, and everything that failed. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Timestamp = HistoryEvent['eventTime'];

export interface RecordedActivity {
  type: string;
  /** As the workflow sent it. */
  input: Record<string, unknown>;
  inputBytes: number;
  /** In milliseconds. */
  scheduledAt: number;
  /** Of the last attempt. */
  startedAt?: number;
  attempt?: number;
}

/** Every event of a run, from its first execution through all continuations. */
export async function historyOf(environment: TestWorkflowEnvironment, workflowId: string, firstRunId: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for (let runId: string | undefined = firstRunId; runId;) {
    const found: HistoryEvent[] = (await environment.client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
    events.push(...found);
    runId = found.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return events;
}

/** In the order in which they were scheduled. */
export function activitiesIn(history: readonly HistoryEvent[]): RecordedActivity[] {
  const activities: RecordedActivity[] = [];
  // Ids of events begin anew with each continuation.
  let open = new Map<string, RecordedActivity>();
  for (const event of history) {
    if (event.workflowExecutionStartedEventAttributes) open = new Map();
    const scheduled = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    if (scheduled) {
      const payload = scheduled.input?.payloads?.[0];
      const activity: RecordedActivity = {
        type: scheduled.activityType?.name ?? '',
        input: payload ? defaultPayloadConverter.fromPayload(payload) : {},
        inputBytes: payload?.data?.length ?? 0,
        scheduledAt: millisecondsOf(event.eventTime),
      };
      activities.push(activity);
      open.set(String(event.eventId), activity);
    } else if (started) {
      const activity = open.get(String(started.scheduledEventId));
      if (activity) Object.assign(activity, { startedAt: millisecondsOf(event.eventTime), attempt: started.attempt });
    }
  }
  return activities;
}

/** UNHANDLED_COMMAND and FORCE_CLOSE_COMMAND: the run was sent something more meanwhile, or much more; the server asks the worker again. */
const somethingMoreCame: unknown[] = [1, 17];

/** Workflow tasks that failed: a run that has one is retried by Temporal until somebody repairs it. */
export function failedTasksIn(history: readonly HistoryEvent[]): string[] {
  return history.flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed && !somethingMoreCame.includes(failed.cause) ? [failed.failure?.message ?? `cause ${failed.cause}`] : [],
  );
}

function millisecondsOf(time: Timestamp): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}
