import { Context } from '@temporalio/activity';
import { fail, failureOf } from '../contract/failure.js';
import type { RunResult } from '../contract/run.js';
import type { LookUpRunInput, LookUpRunOutput } from '../contract/step.js';
import type { Store } from '../store/store.js';
import { outcomeLeft } from './outcome-left.js';
import { publishEvents } from './publish.js';

/** How long the end of a run that says that it ends is waited for. */
const endingMs = 8000;

const open: LookUpRunOutput = { status: 'open' };

/** What became of another run. Nobody tells a run how one ends that it has started before it continued as new. Only reads. */
export function createLookUpRun({ store }: { store: Store }) {
  return async function lookUpRun(input: LookUpRunInput): Promise<LookUpRunOutput> {
    await publishEvents(store.events, input);
    const { client, cancellationSignal } = Context.current();
    const handle = client.workflow.getHandle(input.workflowId);
    const patience = AbortSignal.any([cancellationSignal, AbortSignal.timeout(endingMs)]);
    try {
      const { status } = await handle.describe();
      const isOpen = ['RUNNING', 'CONTINUED_AS_NEW', 'PAUSED'].includes(status.name);
      if (input.presence) return isOpen ? open : { status: 'closed' };
      if (isOpen && !input.ends) return open;
      return { status: 'ended', result: (await client.withAbortSignal(patience, () => handle.result())) as RunResult };
    } catch (error) {
      const { name, cause } = error as Error;
      if (name === 'WorkflowFailedError') return { status: 'failed', failure: failureOf(cause ?? error) };
      if (name === 'WorkflowNotFoundError') return input.presence ? { status: 'closed' } : await forgotten(store, input.workflowId);
      if (patience.aborted) return open;
      if (isNoId(cause)) return { status: 'failed', failure: { type: 'Nested.Failed', message: 'No run can have that id.' } };
      throw fail('Store.Unavailable', `The run "${input.workflowId}" cannot be looked up: ${(error as Error).message}`, { cause: error });
    }
  };
}

/** Temporal does not know it any more. */
async function forgotten(store: Pick<Store, 'blobs' | 'snapshots'>, workflowId: string): Promise<LookUpRunOutput> {
  const outcome = await outcomeLeft(store, workflowId);
  if (!outcome) return { status: 'failed', failure: { type: 'Nested.Failed', message: 'Temporal does not know it any more.' } };
  return 'result' in outcome ? { status: 'ended', ...outcome } : { status: 'failed', ...outcome };
}

/** gRPC's INVALID_ARGUMENT: another attempt does not help. */
function isNoId(cause: unknown): boolean {
  return (cause as { code?: number } | undefined)?.code === 3;
}
