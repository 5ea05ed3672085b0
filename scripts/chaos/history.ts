/** What the server has recorded of a run: which steps it accepted, when, and how often they were tried. */
import type { Client } from '@temporalio/client';

export interface RunHistory {
  /** Model calls and tool calls whose completion the server accepted, by step. */
  finished: Map<string, { at: number; attempt: number }>;
  continuations: number;
  problems: string[];
}

type Events = NonNullable<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>['events']>;

export async function historyOf(temporal: Client, workflowId: string, firstRunId: string): Promise<RunHistory> {
  const history: RunHistory = { finished: new Map(), continuations: 0, problems: [] };
  const scheduled = new Set<string>();
  for (let runId: string | undefined = firstRunId; runId;) {
    const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const step of readSteps(events ?? [], history)) {
      if (scheduled.has(step)) history.problems.push(`step ${step} was begun twice by the run itself.`);
      scheduled.add(step);
    }
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
    if (runId) history.continuations += 1;
  }
  return history;
}

/** Returns the steps that were begun. */
function readSteps(events: Events, { finished, problems }: RunHistory): string[] {
  const steps = new Map<string, string>();
  const attempts = new Map<string, number>();
  for (const event of events) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } = event;
    const { activityTaskCompletedEventAttributes: completed, workflowTaskFailedEventAttributes: failed } = event;
    if (scheduled) {
      const [input] = scheduled.input?.payloads ?? [];
      const { step } = JSON.parse(Buffer.from(input?.data ?? '{}').toString()) as { step?: string };
      if (step !== undefined) steps.set(String(event.eventId), step);
    }
    if (started) attempts.set(String(started.scheduledEventId), started.attempt ?? 1);
    const step = steps.get(String(completed?.scheduledEventId));
    if (step !== undefined) {
      finished.set(step, { at: msOf(event.eventTime), attempt: attempts.get(String(completed?.scheduledEventId)) ?? 1 });
    }
    const failure = failed && (failed.failure?.message ?? String(failed.cause));
    // Something arrived while the run was about to end or to continue as new: the server has it look again.
    if (failure && failure !== 'UnhandledCommand') problems.push(`a workflow task failed: ${failure}`);
  }
  return [...steps.values()];
}

function msOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}
