/** The end of an execution that another one goes on from. */
import { makeContinueAsNewFunc, workflowInfo } from '@temporalio/workflow';
import { fail } from '../../contract/failure.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { RunState } from '../../state/run-state.js';
import type { AnyRun } from './run.js';

/** The history has grown long. */
export function isContinuationDue(run: AnyRun): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (continueAsNewSuggested) return true;
  // An execution that has done nothing yet is as long as the next one would be: where few events are allowed it would never end.
  return run.outbox.hasWorked && historyLength > (run.state.settings.historyEvents ?? Infinity);
}

/** Nothing may be awaited between the last look at what has come and this. */
export async function leave(before: RunState): Promise<never> {
  const state = { ...before, continuations: before.continuations + 1 };
  const bytes = jsonBytes(state);
  if (bytes > sizes.input + sizes.inbox) {
    throw fail('Input.TooLarge', `The run's own state has grown to ${bytes} bytes and cannot continue. Keep less in \`progress\`.`, {
      final: true,
    });
  }
  return await makeContinueAsNewFunc()({ state });
}
