/** What runs refer to in the store, as they tell it themselves, open or closed. */
import { QueryNotRegisteredError, type WorkflowExecutionInfo } from '@temporalio/client';
import { fail, failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { SnapshotParts } from '../contract/state-step.js';
import { mentionsIn } from '../store/references.js';
import { asFailureType, call } from './call.js';
import type { ClientContext } from './context.js';
import { inputOf, isUntouched } from './history.js';
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
  const isOpen = execution.closeTime === undefined;
  try {
    const told = await ask<SnapshotParts>(context, execution, queries.snapshot);
    const references = mentionsIn({ ...told, document: withoutPast(told.document) });
    // What an open run was given, it may not have looked at.
    return isOpen ? [...references, ...(await inputReferences(context, execution))] : references;
  } catch (error) {
    if (error instanceof QueryNotRegisteredError && !(await isOurs(context, execution))) return undefined;
    // No worker has taken it up, ever: there is nothing but its input.
    if (failureOf(error).type !== 'Run.NotFound' && (await isUntouched(context, execution)))
      return await inputReferences(context, execution);
    throw error;
  }
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

async function inputReferences(context: ClientContext, execution: Execution): Promise<string[]> {
  return (await inputOf(context, execution)).flatMap((input) => mentionsIn(withoutPast(input)));
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
