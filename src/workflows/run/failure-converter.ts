/**
 * Messages of failures may quote what was said: where payloads are encrypted, they are as well. `type` stays readable.
 * Bundled into the sandbox by path.
 */
import { ApplicationFailure, DefaultFailureConverter, type FailureConverter, type PayloadConverter } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { encodesFailures } from '../../contract/encrypted.js';
import type { FailureType } from '../../contract/failure.js';

const readable = new DefaultFailureConverter();
const encoded = new DefaultFailureConverter({ encodeCommonAttributes: true });

export const failureConverter: FailureConverter = {
  errorToFailure: (error: unknown, payloadConverter: PayloadConverter) => {
    const isSecret = (globalThis as { [name: string]: unknown })[encodesFailures] === true && !isQuery() && !isKeyMissing(error);
    return (isSecret ? encoded : readable).errorToFailure(error, payloadConverter);
  },
  failureToError: (failure, payloadConverter) => readable.failureToError(failure, payloadConverter),
};

/** Nothing of a query is recorded, and what it fails with reaches the caller as a message alone. */
function isQuery(): boolean {
  const { isReplaying, isReplayingHistoryEvents } = workflowInfo().unsafe;
  return isReplaying && !isReplayingHistoryEvents;
}

/** It names a key, and is for operators who have none. */
function isKeyMissing(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === keyMissing;
}

const keyMissing: FailureType = 'Encryption.KeyMissing';
