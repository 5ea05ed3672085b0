/** What runs refer to in the store, as they tell it themselves, open or closed. */
import { QueryNotRegisteredError, type WorkflowExecutionInfo } from '@temporalio/client';
import { fail, failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { SnapshotParts } from '../contract/state-step.js';
import { mentionsIn } from '../store/references.js';
import { asFailureType, call } from './call.js';
import type { ClientContext } from './context.js';
import { beginningOf } from './history.js';
import { withoutPast } from './without-past.js';

type Execution = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'status' | 'closeTime'>;

/**
 * For every run of this environment that Temporal still knows: ids. Runs of other programs on the same task queue are left out.
 *
 * @throws the failure of the first run that cannot be asked, with what to do about it
 */
export async function* referencesOfRuns(context: ClientContext): AsyncGenerator<string[]> {
  const { temporal, taskQueue } = context;
  for await (const execution of temporal.workflow.list({ query: `TaskQueue = '${taskQueue.replaceAll("'", "''")}'`, pageSize: 1000 })) {
    // The execution that goes on with it has it all.
    if (execution.status.name === 'CONTINUED_AS_NEW') continue;
    const references = await referencesOf(context, execution).catch((error: unknown) => {
      // Deleted since it was listed.
      if (failureOf(error).type === 'Run.NotFound') return undefined;
      throw silent(execution, error);
    });
    if (references) yield references;
  }
}

/** `undefined`: it is none of ours. */
async function referencesOf(context: ClientContext, execution: Execution): Promise<string[] | undefined> {
  // What an open run was given, it may not have looked at.
  const given = execution.closeTime ? undefined : await givenTo(context, execution);
  if (given?.isUntouched) return given.references;
  try {
    const told = await ask<SnapshotParts>(context, execution, queries.snapshot);
    return [...mentionsIn({ ...told, document: withoutPast(told.document) }), ...(given?.references ?? [])];
  } catch (error) {
    if (failureOf(error).type === 'Run.NotFound') throw error;
    if (error instanceof QueryNotRegisteredError && !(await isOurs(context, execution))) return undefined;
    // Ended from outside before a worker had taken it up.
    if (execution.closeTime && (await givenTo(context, execution)).isUntouched) return [];
    throw error;
  }
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
