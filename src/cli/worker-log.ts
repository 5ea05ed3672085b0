/** What a worker says while it works: what went wrong, a line each, and no account of its life. */
import type { LogEntry } from '@temporalio/worker';
import { failureOf } from '../contract/failure.js';
import { printable, type Terminal } from './terminal.js';

/** Once per process, before its first worker. */
export async function installWorkerLog(terminal: Terminal, level: 'WARN' | 'ERROR'): Promise<void> {
  const { DefaultLogger, Runtime } = await import('@temporalio/worker');
  Runtime.install({
    logger: new DefaultLogger(level, (entry) => terminal.note(terminal.noteStyle.yellow(printable(lineOf(entry))))),
    telemetryOptions: { logging: { forward: {}, filter: level } },
    // Ending on a signal is ours to do.
    shutdownSignals: [],
  });
}

/** `Activity failed: callModel of article/1, attempt 2: The provider asked us to wait. (Model.RateLimited)` */
function lineOf({ message, meta = {} }: LogEntry): string {
  const { workflowId, activityType, attempt, error, failure } = meta as { [name: string]: unknown };
  const what = [activityType, workflowId && `of ${String(workflowId)}`, Number(attempt) > 1 && `attempt ${String(attempt)}`];
  const where = what.filter(Boolean).join(' ');
  const why = error instanceof Error ? failureOf(error) : undefined;
  return [message, where, why ? `${why.message} (${why.type})` : taskFailure(failure)].filter(Boolean).join(': ');
}

/** Why a workflow task failed, as the SDK reports it: non-determinism above all. */
function taskFailure(failure: unknown): string | undefined {
  const { message } = ((failure as { failure?: unknown } | undefined)?.failure ?? failure ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : undefined;
}
