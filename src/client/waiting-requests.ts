/** What people are asked in all runs that are open. */
import { isGrpcServiceError, type WorkflowExecutionInfo } from '@temporalio/client';
import { failureOf } from '../contract/failure.js';
import { searchAttributes } from '../contract/names.js';
import type { RequestView } from '../contract/request.js';
import { keyword, nobody, waitingFor } from '../contract/waiting-for.js';
import { runsOn } from '../janitor/run-references.js';
import type { ClientContext } from './context.js';
import { forgivingClient } from './list-runs.js';
import { RunHandle } from './run-handle.js';

export interface ListRequests {
  /** Only those that wait for one of these: names of assignees, roles, or `anybody`. @default all */
  for?: string | string[];
  /** At most so many requests. @default 100 */
  limit?: number;
}

/** One run that waits, or of which that cannot be told. */
export interface WaitingRun {
  /** The workflow id: what an answer is sent to. */
  runId: string;
  pattern: string;
  requests: RequestView[];
  /** Why it could not be asked. */
  failure?: { type: string; message: string };
}

type Listed = Pick<WorkflowExecutionInfo, 'workflowId' | 'type'>;

/** Of runs that do not say for whom they wait, so many are asked. */
const mostUntold = 200;
const sideBySide = 8;
/** Where nobody answers for any of them, that takes no longer than this. */
const patienceMs = 15_000;

export async function waitingRequests(context: ClientContext, { for: whom, limit = 100 }: ListRequests = {}): Promise<WaitingRun[]> {
  const names = whom === undefined ? undefined : [whom].flat().map(keyword);
  const patience = AbortSignal.timeout(patienceMs);
  const found: WaitingRun[] = [];
  const left = () => limit - found.reduce((sum, { requests }) => sum + requests.length, 0);
  const listed = runsThatMayWait(context, names);
  const next = async (): Promise<void> => {
    for (let run = await listed.next(); !run.done && left() > 0; run = await listed.next()) {
      const waiting = await context.temporal.withAbortSignal(patience, () => ask(context, run.value as Listed, names));
      const requests = waiting.requests.slice(0, Math.max(left(), 0));
      if (requests.length > 0 || waiting.failure) found.push({ ...waiting, requests });
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, next));
  return found;
}

async function ask(context: ClientContext, { workflowId: runId, type: pattern }: Listed, names?: string[]): Promise<WaitingRun> {
  try {
    const open = (await new RunHandle(context, runId).requests()).filter(({ status }) => status === 'pending');
    const isMeant = (request: RequestView) => names === undefined || waitingFor(request).some((name) => names.includes(keyword(name)));
    return { runId, pattern, requests: open.filter(isMeant) };
  } catch (error) {
    const { type, message } = failureOf(error);
    // It has ended since it was listed.
    return { runId, pattern, requests: [], ...(type !== 'Run.NotFound' && { failure: { type, message } }) };
  }
}

/** Those that say so, and then those that do not say whether. */
async function* runsThatMayWait(context: ClientContext, names: string[] | undefined): AsyncGenerator<Listed> {
  const attribute = searchAttributes.waitingFor;
  const isMeant = names
    ? `${attribute} IN (${names.map(quoted).join(', ')})`
    : `${attribute} IS NOT NULL AND ${attribute} != ${quoted(nobody)}`;
  let untold = `${attribute} IS NULL`;
  try {
    yield* openRuns(context, isMeant);
  } catch (error) {
    if (!isUnknownAttribute(error)) throw error;
    untold = '';
  }
  let count = 0;
  for await (const run of openRuns(context, untold)) {
    yield run;
    if (++count === mostUntold) return;
  }
}

/** What runs within ask is listed at the top. */
async function* openRuns(context: ClientContext, condition: string): AsyncGenerator<Listed> {
  const query = [runsOn(context.taskQueue), `ExecutionStatus = 'Running'`, ...(condition === '' ? [] : [condition])].join(' AND ');
  for await (const run of forgivingClient(context).list({ query, pageSize: 200 })) if (run.parentExecution === undefined) yield run;
}

const invalidArgument = 3;

function isUnknownAttribute(error: unknown): boolean {
  const told = [error, (error as { cause?: unknown } | null)?.cause].find(isGrpcServiceError);
  return told?.code === invalidArgument && told.details.includes(searchAttributes.waitingFor);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
