/**
 * What a worker was given and cannot open. What only workers write is left to one that has the key: the task fails, and is tried again.
 * What anybody may send must not hold a run up: it is refused, as anything that cannot be decoded.
 */
import { patched, workflowInfo } from '@temporalio/workflow';
import type { Payload } from '@temporalio/common';
import { encryptedEncoding, isAwaited, isEncrypted, missingKeyOf } from '../../contract/encrypted.js';
import { fail } from '../../contract/failure.js';

/** A part of Temporal's activation: more than this is not looked at. */
interface Job {
  initializeWorkflow?: { continuedFromExecutionRunId?: string | null } | null;
  signalWorkflow?: { input?: Payload[] | null } | null;
  doUpdate?: { input?: Payload[] | null; runValidator?: boolean | null } | null;
  queryWorkflow?: object | null;
}

/** One for each execution. */
export function unreadJobs(): (jobs: readonly Job[]) => void {
  let signals = 0;
  return (jobs) => {
    for (const job of jobs) {
      const { signalWorkflow: signal, doUpdate: update, initializeWorkflow: start } = job;
      if (signal) hearSignal(signal, ++signals);
      // A validator refuses it, and nothing of that is recorded; one that was accepted was read by somebody.
      else if (update) {
        const lacking = unreadIn(update.input).find(missingKeyOf);
        if (lacking && (isAwaited(lacking) || !update.runValidator)) leaveToOthers(lacking);
      } else if (start && !start.continuedFromExecutionRunId) leaveToOthers(unreadIn(start).find(missingKeyOf));
      else if (!job.queryWorkflow) leaveToOthers(unreadIn(job)[0]);
    }
  };
}

/**
 * That a signal was refused is recorded: a worker that replays it with the key has to refuse it too. And one that was read is not
 * refused by a worker that replays it without.
 */
function hearSignal(signal: NonNullable<Job['signalWorkflow']>, ordinal: number): void {
  const marker = `unread-signal-${ordinal}`;
  const lacking = (signal.input ?? []).find(missingKeyOf);
  if (workflowInfo().unsafe.isReplaying) {
    if (patched(marker)) signal.input = [refusedPayload];
    else leaveToOthers(lacking);
  } else if (lacking) {
    if (isAwaited(lacking)) leaveToOthers(lacking);
    patched(marker);
  }
}

const refusedPayload: Payload = { metadata: { encoding: new TextEncoder().encode(encryptedEncoding) } };

function leaveToOthers(payload: Payload | undefined): void {
  if (!payload) return;
  const keyId = missingKeyOf(payload);
  // Thrown here, it fails the task and not the run.
  throw fail(
    'Encryption.KeyMissing',
    keyId === undefined
      ? 'What this run was told by a worker is encrypted, and does not open: its key is another one here, or somebody has changed it. Correct OSTINATO_ENCRYPTION_KEYS of this worker, or restore the database.'
      : `What this run was told is encrypted with the key "${keyId.slice(0, 64)}", which this worker does not have. Add it to OSTINATO_ENCRYPTION_KEYS of every worker.`,
  );
}

/** Payloads that are still encrypted, wherever they are. */
function unreadIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if ('metadata' in value && isEncrypted(value as Payload)) return [value as Payload];
  return Object.values(value).flatMap(unreadIn);
}
