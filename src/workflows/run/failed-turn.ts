import { isCancellation } from '@temporalio/workflow';
import { failureOf, failures } from '../../contract/failure.js';
import { RunStopped } from './stopped.js';

/** A typed failure of a step; not a cancellation, a stop, a continue-as-new or a bug. */
export function isTurnFailure(error: unknown): boolean {
  return (
    !isCancellation(error) && !(error instanceof RunStopped) && failureOf(error).type in failures && failureOf(error).type !== 'Run.Failed'
  );
}
