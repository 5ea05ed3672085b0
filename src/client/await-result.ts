/** Waits for the end of a run; says what it ended with. */
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { fail, failureOf } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import type { RunResult } from '../contract/run.js';
import { asFailureType, call } from './call.js';
import type { ClientContext } from './context.js';
import { milliseconds, timeoutSignal } from './span.js';
import { storedRun } from './stored-run.js';

export interface AwaitedRun {
  workflowId: string;
  firstRunId: () => Promise<string>;
  /** The result as the run itself tells it: Temporal knows none of a run that it has cancelled. */
  told: () => Promise<RunResult | undefined>;
}

/** @throws `Run.TimedOut` when `timeout` has passed: the run goes on */
export async function awaitResult(context: ClientContext, awaited: AwaitedRun, timeout?: Span): Promise<RunResult> {
  return timeout === undefined ? await resultOf(context, awaited) : await resultWithin(context, awaited, milliseconds(timeout));
}

async function resultOf(context: ClientContext, { workflowId, firstRunId, told }: AwaitedRun): Promise<RunResult> {
  const firstExecutionRunId = await firstRunId();
  try {
    return (await context.temporal.workflow.getHandle(workflowId, undefined, { firstExecutionRunId }).result()) as RunResult;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      const stored = await storedRun(context, workflowId, firstExecutionRunId);
      if (stored?.firstRunId === firstExecutionRunId) return stored.result;
    }
    if (!(error instanceof WorkflowFailedError)) return await call(context, () => Promise.reject(error as Error));
    if (error.cause instanceof CancelledFailure) return (await told()) ?? Promise.reject(error);
    if (error.cause instanceof TerminatedFailure) throw fail('Run.Failed', `The run "${workflowId}" was terminated.`, { cause: error });
    if (error.cause instanceof TimeoutFailure)
      throw fail('Run.Failed', `The run "${workflowId}" ran out of the time Temporal gave it.`, { cause: error });
    const { type, message, details } = failureOf(error);
    throw fail(asFailureType(type), message, { cause: error, details, final: true });
  }
}

async function resultWithin(context: ClientContext, awaited: AwaitedRun, ms: number): Promise<RunResult> {
  const expired = timeoutSignal(ms);
  const expiry = new Promise<never>((_, reject) => {
    const failure = fail('Run.TimedOut', `The run "${awaited.workflowId}" has not ended within ${ms} ms; it goes on.`);
    expired.addEventListener('abort', () => reject(failure), { once: true });
  });
  // The call that waits at the server ends with the wait.
  const waiting = context.temporal.withAbortSignal(expired, () => resultOf(context, awaited));
  return await Promise.race([waiting, expiry]);
}
