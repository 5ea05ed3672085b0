/** Calls to Temporal, bounded in time: the SDK's client retries some refusals in silence for most of a minute. */
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { fail } from '../contract/failure.js';
import type { ClientContext } from './context.js';

const deadlineMs = 20_000;

export async function call<T>({ temporal }: Pick<ClientContext, 'temporal'>, request: () => Promise<T>, timeoutMs = deadlineMs): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + timeoutMs, request);
  } catch (error) {
    throw asFailure(error);
  }
}

/** Only what a caller can act on is translated; everything else stays as it is. */
function asFailure(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return fail('Run.NotFound', `There is no run "${error.workflowId}" here.`, { cause: error });
  }
  if (!isGrpcServiceError(error)) {
    const cause = (error as { cause?: unknown } | null)?.cause;
    if (!isGrpcServiceError(cause)) return error;
    return grpcFailure(cause.code, cause.details, cause) ?? error;
  }
  return grpcFailure(error.code, error.details, error) ?? error;
}

const deadlineExceeded = 4;
const resourceExhausted = 8;
const unavailable = 14;

function grpcFailure(code: number, details: string, cause: unknown) {
  if (code === unavailable || code === deadlineExceeded) {
    return fail('Connection.Failed', `Temporal does not answer: ${details}. Is the server running, and a worker on this task queue?`, { cause });
  }
  if (code === resourceExhausted) return fail('Run.Busy', `Temporal asks us to slow down: ${details}`, { cause });
  return undefined;
}
