/** What runs refer to in the store, as they tell it themselves, open or closed. */
import { QueryNotRegisteredError, type WorkflowExecutionInfo } from '@temporalio/client';
import { janitorType } from '../contract/deletion.js';
import { fail, failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { SnapshotParts } from '../contract/state-step.js';
import type { RunState } from '../state/run-state.js';
import { mentionsIn } from '../store/references.js';
import { asFailureType, call } from '../client/call.js';
import type { ClientContext } from '../client/context.js';
import { beginningOf } from './history.js';
import { withoutPast } from './without-past.js';

/** What a run told. */
export interface Told {
  references: string[];
  /** A step of it may be in flight, and may write what it does not refer to yet. */
  isAtWork: boolean;
}

type Execution = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'closeTime'>;

/**
 * For every run of this environment that Temporal still knows: ids of what it refers to. Runs of other programs on the same task queue are left out.
 *
 * @throws the failure of the first run that cannot be asked, with what to do about it
 */
export async function* referencesOfRuns(context: ClientContext): AsyncGenerator<Told> {
  const { temporal, taskQueue } = context;
  for await (const execution of temporal.workflow.list({ query: runsOn(taskQueue), pageSize: 1000 })) {
    // The execution that goes on with it has it all.
    if (execution.status.name === 'CONTINUED_AS_NEW') continue;
    const told = await referencesOf(context, execution).catch((error: unknown) => {
      // Deleted since it was listed.
      if (failureOf(error).type === 'Run.NotFound') return undefined;
      throw silent(execution, error);
    });
    if (told) yield told;
  }
}

/** For lists of Temporal: all workflows of an environment but its janitor. */
export function runsOn(taskQueue: string): string {
  return `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND WorkflowType != '${janitorType}'`;
}

/** `undefined`: it is none of ours. */
export async function referencesOf(context: ClientContext, execution: Execution): Promise<Told | undefined> {
  // What an open run was given, it may not have looked at.
  const given = execution.closeTime ? undefined : await givenTo(context, execution);
  if (given?.isUntouched) return { references: given.references, isAtWork: true };
  try {
    const told = await ask<SnapshotParts>(context, execution, queries.snapshot);
    const references = [...mentionsIn({ ...told, document: withoutPast(told.document) }), ...(given?.references ?? [])];
    return { references, isAtWork: execution.closeTime === undefined && isAtWork(told) };
  } catch (error) {
    if (failureOf(error).type === 'Run.NotFound') throw error;
    if (error instanceof QueryNotRegisteredError && !(await isOurs(context, execution))) return undefined;
    // Ended from outside before a worker had taken it up.
    if (execution.closeTime && (await givenTo(context, execution)).isUntouched) return { references: [], isAtWork: false };
    throw error;
  }
}

/** It has not begun, takes a turn, or is about to. */
function isAtWork({ document }: SnapshotParts): boolean {
  const { team, turns, inbox, unanswered } = document.state as Partial<RunState>;
  return (
    !team?.id ||
    (turns ?? []).length > 0 ||
    (inbox ?? []).length > 0 ||
    unanswered !== undefined ||
    document.definition.pattern !== 'session'
  );
}

async function givenTo(context: ClientContext, execution: Execution): Promise<{ references: string[]; isUntouched: boolean }> {
  const { input, isUntouched } = await beginningOf(context, execution);
  return { references: input.flatMap((document) => mentionsIn(withoutPast(document))), isUntouched };
}

async function ask<T>(context: ClientContext, { workflowId, runId }: Execution, query: string): Promise<T> {
  return await call(context, () => context.temporal.workflow.getHandle(workflowId, runId).query<T>(query));
}

/** Workers of an older release do not know the other query. */
async function isOurs(context: ClientContext, execution: Execution): Promise<boolean> {
  try {
    await ask(context, execution, queries.checkpoint);
    return true;
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return false;
    throw error;
  }
}

function silent({ workflowId, runId }: Execution, error: unknown) {
  const { type, message } = failureOf(error);
  return fail(
    asFailureType(type),
    `The run "${workflowId}" (${runId}) cannot be asked what it refers to, so nothing was deleted: ${message} ` +
      'Start a worker of this release that knows it, or delete it from Temporal if nobody needs it, and collect again.',
    { cause: error },
  );
}
