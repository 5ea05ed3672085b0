/** A step boundary: here limits hold, old entries are sealed, and the run may continue as new, in the middle of a turn too. */
import { allHandlersFinished, condition, makeContinueAsNewFunc, workflowInfo } from '@temporalio/workflow';
import { fail } from '../../contract/failure.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { OpenTurn } from '../../state/run-state.js';
import { sealSegment, stepFailure } from './activities.js';
import { sendPost } from './post.js';
import type { AnyRun } from './run.js';

/** Called before each model call with its turn, and between turns without. */
export async function boundary(run: AnyRun, turn?: OpenTurn): Promise<void> {
  holdTokens(run);
  if (run.transcript.tailBytes > sizes.segment) await seal(run);
  await continueIfDue(run, turn !== undefined);
}

/** Before each model call. */
export function holdTokens(run: AnyRun): void {
  const { limits, usage } = run.state;
  if (limits.tokens === undefined || usage.totalTokens < limits.tokens) return;
  run.stop('stopped', 'limit.tokens', `The limit of ${limits.tokens} tokens was reached: ${usage.totalTokens} were used.`);
  run.throwIfStopped();
}

/** The history has grown long, or somebody waits already for the run to continue as new. */
export function isContinuationDue(run: AnyRun): boolean {
  if (run.traffic.parked > 0) return true;
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (continueAsNewSuggested) return true;
  // An execution that has done nothing yet is as long as the next one would be: where few events are allowed it would never end.
  return run.outbox.hasWorked && historyLength > (run.state.settings.historyEvents ?? Infinity);
}

/** `isCounted`: whoever comes here is part of the traffic already. */
export async function continueIfDue(run: AnyRun, isCounted: boolean): Promise<void> {
  if (!isContinuationDue(run)) return;
  // Everybody meets here: only then nothing is half done.
  const { traffic } = run;
  const place = isCounted ? 0 : 1;
  traffic.waiting += place;
  traffic.parked += 1;
  try {
    const isQuiet = () => traffic.parked >= traffic.taking + traffic.waiting;
    // Until then nobody else may be there to send what others wait for.
    while (!isQuiet()) {
      await run.outbox.flush();
      await condition(() => isQuiet() || run.state.post.length > 0);
      await sendPost(run);
    }
  } catch (error) {
    traffic.waiting -= place;
    traffic.parked -= 1;
    throw error;
  }
  await continueAsNew(run);
}

/** Two turns may come here at the same time: the second finds nothing left to do. */
async function seal(run: AnyRun): Promise<void> {
  const from = run.transcript.sealed;
  const segments = await run.outbox
    .along((base) =>
      sealSegment(`transcript: seal from ${from}`)({
        ...base,
        transcript: run.transcript.ref(),
        from,
        previous: run.transcript.lastSegment,
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Sealing the transcript');
    });
  if (run.transcript.sealed === from) run.transcript.seal(segments);
}

async function continueAsNew(run: AnyRun): Promise<never> {
  // Somebody who stopped here before may have begun to tell some.
  await run.outbox.sent();
  if (run.transcript.tailBytes > sizes.carriedTail) await seal(run);
  // Events go along in the state: told now, they would be answered before what they tell of is certain.
  if (jsonBytes(run.state.outbox) > sizes.carriedTail) await run.outbox.flush();
  await condition(allHandlersFinished);
  // Everybody who waits comes here: one goes, and the others go with it.
  run.leaving ??= leave(run);
  return await run.leaving;
}

async function leave(run: AnyRun): Promise<never> {
  const state = { ...run.state, continuations: run.state.continuations + 1 };
  const bytes = jsonBytes(state);
  if (bytes > sizes.input + sizes.inbox) {
    throw fail('Input.TooLarge', `The run's own state has grown to ${bytes} bytes and cannot continue. Keep less in \`progress\`.`, {
      final: true,
    });
  }
  return await makeContinueAsNewFunc()({ state });
}
