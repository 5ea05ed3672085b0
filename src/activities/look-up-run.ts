import { Context } from '@temporalio/activity';
import { fail, failureOf } from '../contract/failure.js';
import type { RunResult } from '../contract/run.js';
import type { LookUpRunInput, LookUpRunOutput } from '../contract/step.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';

/** What became of another run. Nobody tells a run how one ends that it has started before it continued as new. */
export function createLookUpRun({ store }: { store: Pick<Store, 'events'> }) {
  return async function lookUpRun(input: LookUpRunInput): Promise<LookUpRunOutput> {
    await publishEvents(store.events, input);
    const handle = Context.current().client.workflow.getHandle(input.workflowId);
    try {
      const { status } = await handle.describe();
      if (['RUNNING', 'CONTINUED_AS_NEW', 'PAUSED'].includes(status.name)) return { status: 'open' };
      return { status: 'ended', result: (await handle.result()) as RunResult };
    } catch (error) {
      const { name, cause } = error as Error;
      if (name === 'WorkflowFailedError') return { status: 'failed', failure: failureOf(cause ?? error) };
      if (name === 'WorkflowNotFoundError')
        return { status: 'failed', failure: { type: 'Nested.Failed', message: 'Temporal does not know it any more.' } };
      throw fail('Store.Unavailable', `The run "${input.workflowId}" cannot be looked up: ${(error as Error).message}`, { cause: error });
    }
  };
}
