/** Calls to Temporal, bounded in time: the SDK's client retries some refusals in silence for most of a minute. */
import { isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { fail, failures, type FailureType } from '../contract/failure.js';
import type { ClientContext } from './context.js';

const deadlineMs = 20_000;
const attempts = 5;

export async function call<T>(
  { temporal }: Pick<ClientContext, 'temporal'>,
  request: () => Promise<T>,
  timeoutMs = deadlineMs,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await temporal.withDeadline(Date.now() + timeoutMs, request);
    } catch (error) {
      if (attempt === attempts || !isDropped(error)) throw asFailure(error);
      await new Promise((resolve) => setTimeout(resolve, attempt * 100));
    }
  }
}

/** The run was just continuing as new, and the server dropped what had come meanwhile: nothing has happened. */
function isDropped(error: unknown): boolean {
  const { code, details } = (grpcErrorIn(error) ?? {}) as { code?: number; details?: string };
  return code === failedPrecondition && details?.includes('workflow task failure') === true;
}

/** Only what a caller can act on is translated; everything else stays as it is. */
function asFailure(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return fail('Run.NotFound', `There is no run "${error.workflowId}" here.`, { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    const { type, message, details } = error.cause;
    if (type === 'UnprocessedUpdate')
      return fail('Connection.Failed', 'The worker that took the message up has not answered it. Try again.', { cause: error });
    return fail(asFailureType(type), message, { cause: error.cause, details: details ?? [], final: true });
  }
  const refused = grpcErrorIn(error);
  return (refused && grpcFailure(refused.code, refused.details, refused)) ?? error;
}

function grpcErrorIn(error: unknown) {
  const cause = (error as { cause?: unknown } | null)?.cause;
  return [error, cause].find(isGrpcServiceError);
}

const cancelled = 1;
const deadlineExceeded = 4;
const resourceExhausted = 8;
const failedPrecondition = 9;
const unavailable = 14;

function grpcFailure(code: number, details: string, cause: unknown) {
  // What a server that goes down had not answered yet is cancelled.
  if (code === unavailable || code === deadlineExceeded || code === cancelled) {
    return fail('Connection.Failed', `Temporal does not answer: ${details}. Is the server running, and a worker on this task queue?`, {
      cause,
    });
  }
  // So it says of a query, some seconds after the last worker has gone.
  if (code === failedPrecondition && details.includes('no poller')) {
    return fail('Connection.Failed', `No worker is there to answer: ${details}. Start one on this task queue.`, { cause });
  }
  if (code === resourceExhausted) return fail('Run.Busy', `Temporal asks us to slow down: ${details}`, { cause });
  return undefined;
}

/** A type that we know, or that of a run that failed in some other way. */
export function asFailureType(type: string | null | undefined): FailureType {
  return type && type in failures ? (type as FailureType) : 'Run.Failed';
}

/** Nobody could answer just now; that says nothing about the run. */
export function isSilence(error: unknown): boolean {
  const { type } = error as { type?: unknown };
  return type === 'Connection.Failed' || type === 'Run.Busy';
}
