/** Snapshots from the outside: what was asked for is waited for, and what is in the store is read. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../contract/failure.js';
import { checkSave } from '../contract/guards.js';
import type { RunStatus } from '../contract/run.js';
import { assertAgents, commandsOf, type CommandStatus, type SaveInput, type Snapshot } from '../contract/snapshot.js';
import type { SnapshotParts } from '../contract/state-step.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { readDocument } from '../store/read-document.js';
import { writeSnapshot } from '../store/write-snapshot.js';
import { asFailureType, isSilence } from './call.js';
import type { ClientContext } from './context.js';

const firstPauseMs = 30;
const longestPauseMs = 1000;

/** @throws `Run.TimedOut` (it is still done later) · the failure of the command */
export async function awaitCommand(
  operationId: string,
  timeoutMs: number,
  /** The same id again is the same command. */
  ask: () => Promise<unknown>,
  status: () => Promise<RunStatus>,
): Promise<CommandStatus & { status: 'done' }> {
  const until = Date.now() + timeoutMs;
  // Who does not answer just now may still do it, or have done it.
  const patiently = async <T>(what: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await what();
    } catch (error) {
      if (Date.now() < until && isSilence(error)) return undefined;
      throw error;
    }
  };
  let isAccepted = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    isAccepted ||= (await patiently(ask)) !== undefined;
    const told = isAccepted ? await patiently(status) : undefined;
    const command = told && commandsOf(told).find(({ id }) => id === operationId);
    if (command?.status === 'done') return { ...command, status: 'done' };
    if (command?.failure) throw fail(asFailureType(command.failure.type), command.failure.message, { final: true });
    if (Date.now() >= until) {
      throw fail(
        'Run.TimedOut',
        `"${told?.runId ?? operationId}" has not come to it within ${timeoutMs} ms; it does so when the step in flight is done. Look at its status.`,
      );
    }
    await sleep(pauseMs);
  }
}

/** Writes down what a run that has ended tells of itself. */
export async function saveClosed(context: ClientContext, parts: SnapshotParts, wishes: SaveInput): Promise<{ snapshotId: string }> {
  const checked = checkSave(wishes);
  if ('problem' in checked) throw fail('Input.Invalid', checked.problem);
  assertAgents(checked.value.agents, parts.document.definition.agents);
  return { snapshotId: await writeClosed(context, { ...parts, document: { ...parts.document, ...checked.value } }) };
}

/** Returns its id. */
export async function writeClosed({ store }: ClientContext, parts: SnapshotParts): Promise<string> {
  return (await writeSnapshot(store, { ...parts, key: randomUUID() })).id;
}

/** @throws `State.NotFound` · `State.Unreadable` · `State.Newer` */
export async function readStoredSnapshot({ store }: ClientContext, id: string, of: { isAlive?: boolean } = {}): Promise<Snapshot> {
  return readSnapshot(await readDocument(store.blobs, id), undefined, of).snapshot;
}
